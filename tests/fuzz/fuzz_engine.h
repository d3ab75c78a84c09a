/* fuzz_engine.h - the engine's entry points that the targets call, and a model to call them with.
 */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include "fuzz.h"
#include "kapi_host.h"
#include "model.h"

extern llama_open_fn llama_open;
extern llama_close_fn llama_close;
extern llama_tokenize_fn llama_tokenize;
extern llama_piece_fn llama_piece;
extern llama_chat_turn_fn llama_chat_turn;
extern llama_eval_fn llama_eval;

#define FUZZ_MODELS_MAX 16

/* The models whose paths FUZZ_MODELS lists, separated by ':'; everything but evaluation works. */
struct fuzz_models {
    struct llama_model *model[FUZZ_MODELS_MAX];
    unsigned count;
};
void fuzz_open_models(struct fuzz_models *models);

/* Every id names a token of this model. */
void fuzz_check_ids(const struct llama_model *m, const int32_t *ids, int64_t n);
/* The text of ids[0 .. n), malloc'd; its length in *length. */
char *fuzz_text(struct llama_model *m, const int32_t *ids, int64_t n, size_t *length);
/* The SentencePiece vocabulary's stand-in for a space occurs: it reads back as a space. */
bool fuzz_has_space_mark(const void *text, size_t n);

#endif
