/* engine.c - the kernel's side of the engine module: each entry point is one slot, read at every
 * call, so that the engine's code can be replaced like any tensor operation; and each call is
 * guarded, so that a fault in the engine ends it and not the system. */
#include "console/model.h"

#include "console/event.h"
#include "jit/tier.h"
#include "load/guard.h"

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

/* A fault in a call that has no way to tell; nobody has asked for it yet. */
static struct fluid_error untold;

bool engine_failed(struct fluid_error *err) {
    bool failed = untold.code[0] != '\0';

    if (failed)
        *err = untold;
    untold.code[0] = '\0';
    return failed;
}

static struct fluid_error *first_untold(void) {
    return untold.code[0] == '\0' ? &untold : NULL;
}

/* Returns what the entry point returns; failure, with *err filled, when it faults. */
#define RETURN_GUARDED(failure, err, name, ...)                                                    \
    do {                                                                                           \
        struct module_guard guard;                                                                 \
        uint64_t begin = fluid_call_begin();                                                       \
        if (MODULE_GUARD(&guard)) {                                                                \
            module_guard_report(&guard, err);                                                      \
            return failure;                                                                        \
        }                                                                                          \
        __auto_type result = ((name##_fn *)name##_slot->code)(__VA_ARGS__);                        \
        module_guard_end(&guard);                                                                  \
        fluid_call_end(name##_slot, begin);                                                        \
        return result;                                                                             \
    } while (0)

struct llama_model *engine_open(void *gguf, uint64_t size, struct llama_info *info,
                                struct fluid_error *err) {
    RETURN_GUARDED(NULL, err, llama_open, gguf, size, 0, info, err);
}

int64_t engine_tokenize(const char *text, size_t length, int32_t *ids, size_t max_ids,
                        struct fluid_error *err) {
    RETURN_GUARDED(-1, err, llama_tokenize, handle(), text, length, false, true, ids, max_ids, err);
}

int64_t engine_chat_turn(const char *system, const char *user, size_t length, bool first,
                         int32_t *ids, size_t max_ids, struct fluid_error *err) {
    RETURN_GUARDED(-1, err, llama_chat_turn, handle(), system, user, length, first, ids, max_ids,
                   err);
}

size_t engine_piece(int32_t id, bool first, char *out, size_t size) {
    RETURN_GUARDED(0, first_untold(), llama_piece, handle(), id, first, out, size);
}

bool engine_is_eog(int32_t id) {
    RETURN_GUARDED(true, first_untold(), llama_is_eog, handle(), id);
}

void engine_rewind(uint32_t keep) {
    struct module_guard guard;
    if (MODULE_GUARD(&guard)) {
        module_guard_report(&guard, first_untold());
        return;
    }
    FLUID_CALL(llama_rewind_fn, llama_rewind_slot, handle(), keep);
    module_guard_end(&guard);
}

uint32_t engine_position(void) {
    RETURN_GUARDED(UINT32_MAX, first_untold(), llama_position, handle());
}

/* retry: the fault was in code that was made here, whose place the image's has taken again. */
static int eval(const int32_t *ids, uint32_t n, uint32_t logits,
                struct llama_prediction *predictions, const int32_t *next, bool *retry,
                struct fluid_error *err) {
    struct module_guard guard;
    uint64_t begin = fluid_call_begin();

    if (MODULE_GUARD(&guard)) {
        *retry = tier_blame(&guard.fault);
        return module_guard_report(&guard, err);
    }
    int result =
        ((llama_eval_fn *)llama_eval_slot->code)(handle(), ids, n, logits, predictions, next, err);
    module_guard_end(&guard);
    fluid_call_end(llama_eval_slot, begin);
    return result;
}

int engine_eval(const int32_t *ids, uint32_t n, uint32_t logits,
                struct llama_prediction *predictions, const int32_t *next,
                struct fluid_error *err) {
    bool retry = false;
    int result = eval(ids, n, logits, predictions, next, &retry, err);

    while (retry) {
        report_warn(err);
        retry = false;
        result = eval(ids, n, logits, predictions, next, &retry, err);
    }
    return result;
}

int32_t engine_sample(const struct llama_sampling *how) {
    RETURN_GUARDED(0, first_untold(), llama_sample, handle(), how);
}
