/* compare.c - whether the candidate does what the incumbent does: on what the model has just
 * called the slot with, in memory of its own, under a guard with a time limit. */
#include "arch/x86/time.h"
#include "console/console.h"
#include "console/event.h"
#include "fluid/trial.h"
#include "jit/attempt.h"
#include "jit/epoch.h"
#include "jit/tier_internal.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/module.h"
#include "mm/heap.h"

#define CALL_BYTES (1u << 20) /* for what is taken down of a call */
/* Calls from one that is taken down to the next, so that they are of other layers: of operations
 * that cores share many pieces are one loop. */
#define EVERY 7u
#define EVERY_PIECE 61u
#define CHECK_SECONDS 4u /* of the processor, for what takes milliseconds */

static struct trial trial; /* one at a time */

/* Calls of the slot, as the model makes them. */
static bool take_calls(struct attempt *a, void *wrapper) {
    struct fluid_slot *slot = a->tier->slot;
    slot->code = wrapper;
    bool taken = attempt_wait(a, &trial.done, TRIAL_CALLS);
    if (slot->code == wrapper)
        slot->code = a->incumbent.code;
    epoch_wait(); /* nobody is in the wrapper any more */
    return taken && !a->abandoned;
}

static bool is_in(const struct loaded_module *m, const struct trap_fault *fault) {
    for (size_t i = 0; i < fault->count; i++)
        if (module_at(fault->trace[i]) == m)
            return true;
    return false;
}

/* Runs both codes. COMPARED_EQUAL: *verdict says what came of it; COMPARED_WRONG: the candidate has
 * faulted, or has come to no end; COMPARED_LATER: somebody else has. */
static enum comparison run(const struct attempt *a, trial_check_fn *check,
                           enum trial_verdict *verdict) {
    struct module_guard guard;
    struct fluid_error err;
    if (MODULE_GUARD(&guard)) {
        console_aside_begin();
        module_guard_report(&guard, &err);
        report_warn(&err);
        console_aside_end();
        if (is_in(a->module, &guard.fault))
            return COMPARED_WRONG;
        tier_blame(&guard.fault); /* it may be an incumbent that was made here */
        return COMPARED_LATER;
    }
    module_guard_limit(&guard, CHECK_SECONDS * time_hz());
    *verdict = check(a->candidate.code);
    module_guard_end(&guard);
    return COMPARED_EQUAL;
}

/* NULL: it cannot be taken down, or the module trial has faulted. */
static void *wrapper_of(const struct fluid_slot *slot) {
    trial_begin_fn *begin = (trial_begin_fn *)module_find_export("trial_begin");
    struct module_guard guard;
    if (!begin || MODULE_GUARD(&guard))
        return NULL;
    void *wrapper = begin(slot->name, &trial);
    module_guard_end(&guard);
    return wrapper;
}

static enum comparison judge(enum trial_verdict verdict, const char **reason) {
    switch (verdict) {
    case TRIAL_EQUAL:
        return COMPARED_EQUAL;
    case TRIAL_DIFFERS:
        *reason = "differs";
        return COMPARED_WRONG;
    case TRIAL_OVERRUN:
        *reason = "overrun";
        return COMPARED_WRONG;
    case TRIAL_TOO_LARGE:
        break;
    }
    *reason = "too-large";
    return COMPARED_NEVER;
}

/* With the module trial held, so that nobody replaces it meanwhile; and while both codes run, the
 * one of the slot's operation. */
static enum comparison with_trial(struct attempt *a, const char **reason) {
    trial_check_fn *check = (trial_check_fn *)module_find_export("trial_check");
    enum trial_verdict verdict = TRIAL_TOO_LARGE;
    void *wrapper = wrapper_of(a->tier->slot);
    *reason = "unknown";
    if (!check || !wrapper)
        return COMPARED_NEVER;
    a->step = "takes calls down of";
    if (!take_calls(a, wrapper))
        return COMPARED_LATER;
    a->step = "compares";
    struct loaded_module *base = module_of_export(a->tier->slot->name);
    module_hold(base);
    enum comparison ran = run(a, check, &verdict);
    module_release(base);
    *reason = "fault";
    return ran == COMPARED_EQUAL ? judge(verdict, reason) : ran;
}

static enum comparison with_memory(struct attempt *a, const char **reason) {
    struct loaded_module *module = module_find("trial");
    trial_end_fn *end = (trial_end_fn *)module_find_export("trial_end");
    *reason = "unknown";
    if (!module || !end)
        return COMPARED_NEVER;
    module_hold(module);
    a->trial = module;
    enum comparison result = with_trial(a, reason);
    a->trial = NULL;
    end(); /* one store */
    module_release(module);
    return a->abandoned ? COMPARED_LATER : result;
}

static bool is_shared(const struct fluid_slot *slot) {
    return tier_is_product(slot) || strcmp(slot->name, "attention") == 0;
}

enum comparison compare(struct attempt *a, const char **reason) {
    if (tier_checks_itself(a->tier->slot))
        return COMPARED_EQUAL;
    trial = (struct trial){
        .code = a->incumbent.code,
        .memory = kzalloc_aligned(TRIAL_CALLS * (size_t)CALL_BYTES, 64),
        .call_bytes = CALL_BYTES,
        .every = is_shared(a->tier->slot) ? EVERY_PIECE : EVERY,
    };
    *reason = "no-memory";
    if (!trial.memory)
        return COMPARED_NEVER;
    enum comparison result = with_memory(a, reason);
    kfree(trial.memory);
    memcpy(a->several, trial.several, sizeof a->several);
    return result;
}
