/* compare.c - whether the candidate does what the incumbent does: on what the model has just
 * called the slot with, in memory of its own, under a guard with a time limit. */
#include "arch/x86/time.h"
#include "console/event.h"
#include "fluid/trial.h"
#include "jit/attempt.h"
#include "jit/epoch.h"
#include "jit/tier.h"
#include "load/guard.h"
#include "load/module.h"
#include "mm/heap.h"

#define CALL_BYTES (1u << 20) /* for what is taken down of a call */
#define EVERY 7u              /* calls from one that is taken down to the next */
#define CHECK_SECONDS 4u      /* of the processor, for what takes milliseconds */

static struct trial trial; /* one at a time */

/* Calls of the slot, as the model makes them. */
static bool take_calls(struct attempt *a, trial_begin_fn *begin) {
    struct fluid_slot *slot = a->tier->slot;
    void *wrapper = begin(slot->name, &trial);
    if (!wrapper)
        return false;
    slot->code = wrapper;
    bool taken = attempt_wait(a, &trial.done, TRIAL_CALLS);
    if (slot->code == wrapper)
        slot->code = a->incumbent;
    epoch_wait(); /* nobody is in the wrapper any more */
    return taken && !a->abandoned;
}

/* Runs the candidate, and the incumbent. False: one has faulted, or has come to no end. */
static bool run(trial_check_fn *check, void *code, enum trial_verdict *verdict) {
    struct module_guard guard;
    struct fluid_error err;
    if (MODULE_GUARD(&guard)) {
        module_guard_report(&guard, &err);
        report_warn(&err);
        tier_blame(&guard.fault);
        return false;
    }
    module_guard_limit(&guard, CHECK_SECONDS * time_hz());
    *verdict = check(code);
    module_guard_end(&guard);
    return true;
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

static enum comparison with_memory(struct attempt *a, const char **reason) {
    trial_begin_fn *begin = (trial_begin_fn *)module_find_export("trial_begin");
    trial_check_fn *check = (trial_check_fn *)module_find_export("trial_check");
    enum trial_verdict verdict = TRIAL_TOO_LARGE;
    a->step = "takes calls down of";
    if (!begin || !check || !take_calls(a, begin))
        return COMPARED_LATER;
    a->step = "compares";
    if (run(check, a->code, &verdict))
        return judge(verdict, reason);
    if (a->abandoned) /* it was the incumbent */
        return COMPARED_LATER;
    *reason = "fault";
    return COMPARED_WRONG;
}

enum comparison compare(struct attempt *a, const char **reason) {
    trial = (struct trial){
        .code = a->incumbent,
        .memory = kzalloc_aligned(TRIAL_CALLS * (size_t)CALL_BYTES, 64),
        .call_bytes = CALL_BYTES,
        .every = EVERY,
    };
    *reason = "no-memory";
    if (!trial.memory)
        return COMPARED_NEVER;
    enum comparison result = with_memory(a, reason);
    kfree(trial.memory);
    return result;
}
