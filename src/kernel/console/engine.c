/* engine.c - the kernel's side of the engine module: each entry point is one slot, read at every
 * call, so that the engine's code can be replaced like any tensor operation. */
#include "console/model.h"

#define ENTRY_POINTS(X)                                                                            \
    X(llama_open)                                                                                  \
    X(llama_tokenize)                                                                              \
    X(llama_piece)                                                                                 \
    X(llama_is_eog)                                                                                \
    X(llama_chat_turn)                                                                             \
    X(llama_rewind)                                                                                \
    X(llama_position)                                                                              \
    X(llama_eval)                                                                                  \
    X(llama_sample)

#define DECLARE_SLOT(name) static struct fluid_slot *name##_slot;
ENTRY_POINTS(DECLARE_SLOT)

#define CALL(name) FLUID_CALL(name##_fn, name##_slot)

bool engine_bind(struct fluid_error *err) {
    static const struct {
        const char *name;
        struct fluid_slot **slot;
    } entry_points[] = {
#define TABLE_ROW(name) {#name, &name##_slot},
        ENTRY_POINTS(TABLE_ROW)};

    for (size_t i = 0; i < sizeof(entry_points) / sizeof(entry_points[0]); i++) {
        *entry_points[i].slot = fluid_slot_get(entry_points[i].name, 0, 0);
        if (*entry_points[i].slot)
            continue;
        fluid_fail(
            err, "E-MOD-13",
            "a module that exports %s expected, none is loaded (registry damaged? re-copy the "
            "image)",
            entry_points[i].name);
        return false;
    }
    return true;
}

static struct llama_model *handle(void) {
    return model_current()->handle;
}

struct llama_model *engine_open(const void *gguf, uint64_t size, struct llama_info *info,
                                struct fluid_error *err) {
    return CALL(llama_open)(gguf, size, 0, info, err);
}

int64_t engine_tokenize(const char *text, size_t length, int32_t *ids, size_t max_ids,
                        struct fluid_error *err) {
    return CALL(llama_tokenize)(handle(), text, length, false, true, ids, max_ids, err);
}

int64_t engine_chat_turn(const char *system, const char *user, size_t length, bool first,
                         int32_t *ids, size_t max_ids, struct fluid_error *err) {
    return CALL(llama_chat_turn)(handle(), system, user, length, first, ids, max_ids, err);
}

size_t engine_piece(int32_t id, bool first, char *out, size_t size) {
    return CALL(llama_piece)(handle(), id, first, out, size);
}

bool engine_is_eog(int32_t id) {
    return CALL(llama_is_eog)(handle(), id);
}

void engine_rewind(uint32_t keep) {
    CALL(llama_rewind)(handle(), keep);
}

uint32_t engine_position(void) {
    return CALL(llama_position)(handle());
}

int engine_eval(const int32_t *ids, uint32_t n, struct llama_prediction *predictions,
                const int32_t *next, struct fluid_error *err) {
    return CALL(llama_eval)(handle(), ids, n, predictions, next, err);
}

int32_t engine_sample(const struct llama_sampling *how) {
    return CALL(llama_sample)(handle(), how);
}
