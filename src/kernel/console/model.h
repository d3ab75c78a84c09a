/* model.h - the model that is being talked to: found on disk, read into memory, opened by the
 * engine. */
#ifndef KERNEL_CONSOLE_MODEL_H
#define KERNEL_CONSOLE_MODEL_H

#include "fluid/engine.h"

struct model {
    struct llama_model *handle;
    struct llama_info info;
    void *file; /* MODEL.GGUF, in memory while the model is open */
    size_t file_size;
};

/* Reads MODEL.GGUF from the FAT16 partition and opens it. Reports what is wrong; the console then
 * comes up without a model. */
void model_load_default(void);
/* The boot sequence's `ready` event. */
void model_ready_event(void);
/* Lowest-ranked tensor module in use, NULL when there is none: a single fallback shows. */
const char *model_variant(void);
/* NULL when there is none. */
const struct model *model_current(void);
/* Reports E-CON-05 and returns NULL when there is none. */
const struct model *model_required(void);

/* The engine's entry points, called through their slots (engine.c). See fluid/engine.h. */
bool engine_bind(struct fluid_error *err);
struct llama_model *engine_open(void *gguf, uint64_t size, struct llama_info *info,
                                struct fluid_error *err);
int64_t engine_tokenize(const char *text, size_t length, int32_t *ids, size_t max_ids,
                        struct fluid_error *err);
int64_t engine_chat_turn(const char *system, const char *user, size_t length, bool first,
                         int32_t *ids, size_t max_ids, struct fluid_error *err);
size_t engine_piece(int32_t id, bool first, char *out, size_t size);
bool engine_is_eog(int32_t id);
void engine_rewind(uint32_t keep);
uint32_t engine_position(void);
int engine_eval(const int32_t *ids, uint32_t n, uint32_t logits,
                struct llama_prediction *predictions, const int32_t *next, struct fluid_error *err);
int32_t engine_sample(const struct llama_sampling *how);
/* A call that faulted fails with E-MOD-16. Of those without *err: sampling yields token 0, a piece
 * nothing, every token is the last, the position is UINT32_MAX, and this is true once. */
bool engine_failed(struct fluid_error *err);
#endif
