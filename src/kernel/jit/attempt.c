/* attempt.c - the attempts that are being made, and how they end. */
#include "jit/attempt.h"

#include "arch/x86/clock.h"
#include "arch/x86/cpu.h"
#include "console/event.h"
#include "jit/tier_internal.h"
#include "jit/verdict.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "mm/heap.h"
#include "prof/profile.h"
#include "task/task.h"

#define LOOK_NS 1000000u
#define MEASURED_MOST 4u               /* times */
#define ATTEMPTS 8u                    /* at a time; others wait */
#define QUIET_NS (30 * CLOCK_NS_PER_S) /* without a call: what is prepared is given up for now */

/* No memory is asked for where nothing is compiled: what the system uses stays as it is. */
static struct attempt room[ATTEMPTS];
static struct attempt *attempts; /* the first one may be compiling or comparing, others measure */

/* ---- what others ask and tell */

void tier_attempt_abandon(const struct tier *tier) {
    for (struct attempt *a = attempts; a; a = a->next) {
        if (a->tier != tier)
            continue;
        a->abandoned = true;
        measure_stop(&a->measure);
    }
}

static bool takes_calls_down(const struct attempt *a, const struct loaded_module *module) {
    return a->trial && a->trial == module;
}

bool tier_attempt_blame(const struct loaded_module *module) {
    struct attempt *a = attempts;
    while (a && a->module != module && !takes_calls_down(a, module))
        a = a->next;
    if (!a)
        return false;
    measure_stop(&a->measure);
    if (a->module == module) {
        a->wrong = "fault";
    } else {
        way_take(a->tier->slot, a->incumbent);
        a->abandoned = true;
    }
    return true;
}

bool tier_attempt_blame_slot(const struct fluid_slot *slot, const void *code) {
    struct attempt *a = attempts;
    while (a && (a->tier->slot != slot || a->knob || a->candidate.code != code))
        a = a->next;
    if (!a)
        return false;
    measure_stop(&a->measure);
    a->wrong = "differs";
    return true;
}

void attempt_for_each(void (*visit)(const struct tier *tier, const char *step, void *context),
                      void *context) {
    for (const struct attempt *a = attempts; a; a = a->next)
        visit(a->tier, a->step, context);
}

/* Matrix products of the same input may be one loop (llama/share.c), and share its cycles. */
static bool share_a_loop(const struct fluid_slot *a, const struct fluid_slot *b) {
    return tier_is_product(a) && tier_is_product(b) && a->cols == b->cols;
}

bool tier_attempt_fits(const struct tier *tier) {
    unsigned count = 0;
    for (const struct attempt *a = attempts; a; a = a->next, count++)
        if (a->tier == tier || share_a_loop(a->tier->slot, tier->slot))
            return false;
    return !tier->stale && count < ATTEMPTS;
}

/* ---- how it ends */

static uint64_t calls_of(const struct attempt *a) {
    return a->tier->slot->profile ? a->tier->slot->profile->calls : 0;
}

/* tried: its level is decided, in this boot at least. */
static void end(struct attempt *a, bool tried) {
    struct attempt **at = &attempts;
    measure_stop(&a->measure);
    if (tried && !a->abandoned && a->knob)
        a->tier->knob++;
    else if (tried && !a->abandoned)
        a->tier->tried = a->level;
    if (!tried)
        a->tier->retry_calls = calls_of(a) + TIER_RETRY_CALLS;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    tier_discard(a->module);
    kfree(a->response);
    a->tier = NULL;
}

/* ---- waiting for calls */

bool attempt_is_quiet(struct attempt *a) {
    if (calls_of(a) == a->calls)
        return clock_ns() - a->since_ns > QUIET_NS;
    a->calls = calls_of(a);
    a->since_ns = clock_ns();
    return false;
}

bool attempt_wait(struct attempt *a, const uint32_t *count, uint32_t enough) {
    a->since_ns = clock_ns();
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < enough) {
        if (a->abandoned || a->wrong || attempt_is_quiet(a))
            return false;
        task_sleep_until(clock_ns() + LOOK_NS);
    }
    return true;
}

/* ---- the steps */

static void failed(struct attempt *a, const struct fluid_error *err) {
    jit_warn(err);
    if (jit_lacks(err))
        verdict_reject(a, err->code, NULL);
    else
        verdict_wrong(a, err->code);
}

/* False: it has come to nothing. */
static bool compile(struct attempt *a) {
    struct fluid_error err;
    a->step = "compiles";
    if (jit_compile(&a->job, &a->response, &a->made, &err) != 0) {
        failed(a, &err);
        return false;
    }
    a->compile_ns = a->made.parse_ns + a->made.optimise_ns + a->made.generate_ns;
    a->tier->compile_ns += a->compile_ns;
    a->module = module_load_aside(a->made.mod, a->made.mod_size, cpu_info()->features, &err);
    a->candidate = a->incumbent;
    a->candidate.code = a->module ? module_export(a->module, a->tier->slot->name) : NULL;
    if (!a->module)
        failed(a, &err);
    else if (!a->candidate.code)
        verdict_wrong(a, "no-entry");
    return a->candidate.code != NULL;
}

static void begin_to_measure(struct attempt *a) {
    a->step = "measures";
    a->since_ns = clock_ns();
    measure_start(&a->measure, a->tier->slot, a->incumbent, a->candidate);
}

static void compare_and_go_on(struct attempt *a) {
    const char *reason = "";
    switch (compare(a, &reason)) {
    case COMPARED_EQUAL:
        begin_to_measure(a);
        return;
    case COMPARED_WRONG:
        verdict_wrong(a, reason);
        end(a, true);
        return;
    case COMPARED_NEVER:
        verdict_reject(a, reason, NULL);
        end(a, true);
        return;
    case COMPARED_LATER:
        end(a, false);
        return;
    }
}

static struct attempt *take(void) {
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (room[i].tier)
            continue;
        room[i] = (struct attempt){0};
        return &room[i];
    }
    return NULL;
}

/* A new one, in the list. */
static struct attempt *begin(struct tier *tier, unsigned level, const char *to) {
    struct attempt *a = take();
    if (!a)
        return NULL;
    a->tier = tier;
    a->level = level;
    a->incumbent = way_of(tier->slot);
    ksnprintf(a->to, sizeof a->to, "%s", to);
    a->next = attempts;
    attempts = a;
    return a;
}

void tier_attempt(struct tier *tier, unsigned level) {
    struct attempt *a = begin(tier, level, tier_level_name(level));
    if (!a)
        return;
    if (!tier_job(tier, level, &a->job) ||
        !entry_key(&a->job, tier->slot->rows, tier->slot->cols, a->key) || !compile(a))
        end(a, true);
    else if (a->abandoned)
        end(a, false);
    else
        compare_and_go_on(a);
}

void tier_tune(struct tier *tier) {
    char text[TUNE_TEXT_SIZE];
    struct way way;
    if (!tune_candidate(tier->slot, &tier->knob, &way, text)) {
        tier->tuned = true;
        if (tier->knob > 0)
            tune_keep(tier->slot, verdict_benefit(tier, tier->saved));
        return;
    }
    struct attempt *a = begin(tier, tier->level, text);
    if (!a)
        return;
    a->knob = true;
    a->candidate = way;
    begin_to_measure(a);
}

/* Ends it if that is due. */
static void look(struct attempt *a) {
    if (a->wrong) {
        verdict_wrong(a, a->wrong);
        end(a, true);
    } else if (a->abandoned) {
        end(a, false);
    } else if (a->measure.done) {
        struct measured m = measure_result(&a->measure);
        measure_stop(&a->measure);
        if (m.again && ++a->measured < MEASURED_MOST) {
            begin_to_measure(a);
            return;
        }
        verdict_decide(a, &m);
        end(a, true);
    } else if (attempt_is_quiet(a)) {
        end(a, false);
    }
}

void tier_attempts_look(void) {
    for (struct attempt *a = attempts, *next; a; a = next) {
        next = a->next;
        look(a);
    }
}
