/* tier_attempt.c - one attempt to give a slot better code: compile, load aside, compare with what
 * the model really calls, measure in turns, decide. */
#include "arch/x86/clock.h"
#include "arch/x86/cpu.h"
#include "arch/x86/time.h"
#include "console/event.h"
#include "fluid/trial.h"
#include "jit/epoch.h"
#include "jit/measure.h"
#include "jit/tier_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/module.h"
#include "load/slot.h"
#include "mm/heap.h"
#include "prof/profile.h"
#include "task/task.h"

#define LOOK_NS 1000000u
#define CALL_BYTES (1u << 20)          /* for what is taken down of a call */
#define EVERY 7u                       /* calls from one that is taken down to the next */
#define QUIET_NS (30 * CLOCK_NS_PER_S) /* without a call: what is prepared is given up for now */
#define RETRY_CALLS 100u
#define CHECK_SECONDS 4u /* of the processor, for what takes milliseconds */

/* The attempt that is being made; one at a time. */
static struct attempt {
    struct tier *tier; /* NULL: none */
    unsigned level;
    struct loaded_module *module; /* the candidate, aside */
    void *code, *incumbent;
    bool abandoned, faulted;
    uint64_t compile_ns;
    const char *step; /* for /jit */
} attempt;

static struct trial trial;
static struct measure measure;

void tier_attempt_abandon(const struct tier *tier) {
    attempt.abandoned |= attempt.tier == tier;
}

const struct tier *tier_attempt_current(const char **step) {
    *step = attempt.step;
    return attempt.tier;
}

struct tier *tier_attempt_blame(const struct loaded_module *module) {
    if (!attempt.tier || attempt.module != module)
        return NULL;
    attempt.tier->slot->called = NULL;
    attempt.tier->slot->code = attempt.incumbent;
    attempt.faulted = true;
    return attempt.tier;
}

/* ---- how it ends */

static void reject(const char *reason, uint64_t before, uint64_t after) {
    struct tier *t = attempt.tier;
    ksnprintf(t->reason, sizeof t->reason, "%s", reason);
    t->rejected++;
    tier_event(t, t->level, attempt.level, t->reason, before, after, attempt.compile_ns);
}

/* Calls that this saves cycles in, as far as is known: those so far. */
static uint64_t benefit_of(const struct tier *t, const struct measured *m) {
    uint64_t calls = t->slot->profile ? t->slot->profile->calls : 1, benefit;
    if (m->after >= m->before || __builtin_mul_overflow(m->before - m->after, calls, &benefit))
        return 1;
    return benefit;
}

static void keep(const uint8_t *key, const struct jit_result *made, const struct measured *m) {
    struct entry entry = {
        .version = ENTRY_VERSION,
        .mod_size = m->faster ? (uint32_t)made->mod_size : 0,
        .cycles_before = m->before,
        .cycles_after = m->after,
        .compile_ns = attempt.compile_ns,
    };
    entry_put(key, &entry, m->faster ? made->mod : NULL, benefit_of(attempt.tier, m));
}

/* ---- waiting for calls */

static uint64_t calls_of(const struct tier *t) {
    return t->slot->profile ? t->slot->profile->calls : 0;
}

/* Until *count has reached enough; false: the attempt was ended from outside, or nothing calls. */
static bool wait_for(const volatile uint32_t *count, uint32_t enough) {
    uint64_t calls = calls_of(attempt.tier), since = clock_ns();
    while (*count < enough) {
        if (attempt.abandoned || attempt.faulted)
            return false;
        task_sleep_until(clock_ns() + LOOK_NS);
        if (calls_of(attempt.tier) != calls) {
            calls = calls_of(attempt.tier);
            since = clock_ns();
        }
        if (clock_ns() - since > QUIET_NS)
            return false;
    }
    return true;
}

/* ---- comparing */

/* Calls of the slot, as the model makes them. */
static bool take_calls(trial_begin_fn *begin) {
    struct fluid_slot *slot = attempt.tier->slot;
    trial = (struct trial){.code = attempt.incumbent,
                           .memory = trial.memory,
                           .call_bytes = CALL_BYTES,
                           .every = EVERY};
    void *wrapper = begin(slot->name, &trial);
    if (!wrapper)
        return false;
    slot->code = wrapper;
    bool taken = wait_for(&trial.done, TRIAL_CALLS);
    if (!attempt.abandoned)
        slot->code = attempt.incumbent;
    epoch_wait(); /* nobody is in the wrapper any more */
    return taken;
}

/* Runs the candidate. -1: it has faulted, or has come to no end. */
static int check(trial_check_fn *run, enum trial_verdict *verdict) {
    struct module_guard guard;
    struct fluid_error err;
    if (MODULE_GUARD(&guard)) {
        module_guard_report(&guard, &err);
        report_warn(&err);
        return -1;
    }
    module_guard_limit(&guard, CHECK_SECONDS * time_hz());
    *verdict = run(attempt.code);
    module_guard_end(&guard);
    return 0;
}

enum outcome { GOOD, BAD, LATER, NEVER /* in this boot */ };

static enum outcome compare(void) {
    static const char *const reasons[] = {
        [TRIAL_EQUAL] = NULL,
        [TRIAL_DIFFERS] = "differs",
        [TRIAL_OVERRUN] = "overrun",
        [TRIAL_TOO_LARGE] = "too-large",
    };
    trial_begin_fn *begin = (trial_begin_fn *)module_find_export("trial_begin");
    trial_check_fn *run = (trial_check_fn *)module_find_export("trial_check");
    enum trial_verdict verdict = TRIAL_TOO_LARGE;
    if (!begin || !run || !take_calls(begin))
        return LATER;
    attempt.step = "compares";
    if (check(run, &verdict) != 0) {
        reject("fault", 0, 0);
        return BAD;
    }
    if (!reasons[verdict])
        return GOOD;
    reject(reasons[verdict], 0, 0);
    return verdict == TRIAL_TOO_LARGE ? NEVER : BAD;
}

/* ---- measuring and deciding */

static enum outcome time_it(struct measured *result) {
    attempt.step = "measures";
    measure_start(&measure, attempt.tier->slot, attempt.incumbent, attempt.code);
    bool done = wait_for(&measure.block, 2 * MEASURE_PAIRS);
    if (!done && !attempt.abandoned && !attempt.faulted)
        measure_stop(&measure);
    epoch_wait();
    if (attempt.faulted) {
        reject("fault", 0, 0);
        return BAD;
    }
    if (!done || attempt.abandoned)
        return LATER;
    *result = measure_result(&measure);
    return GOOD;
}

static void decide(const struct measured *m) {
    struct tier *t = attempt.tier;
    unsigned from = t->level;
    t->cycles_t0 = from == 0 ? m->before : t->cycles_t0;
    t->cycles = m->faster ? m->after : m->before;
    if (!m->faster) {
        reject("not-faster", m->before, m->after);
        return;
    }
    tier_use(t, attempt.module, attempt.code, attempt.level);
    attempt.module = NULL;
    t->published++;
    tier_event(t, from, attempt.level, NULL, m->before, m->after, attempt.compile_ns);
}

/* From a .mod to a decision. */
static enum outcome try_out(const struct jit_result *made, struct measured *result) {
    struct fluid_error err;
    attempt.module = module_load_aside(made->mod, made->mod_size, cpu_info()->features, &err);
    attempt.code = attempt.module ? module_export(attempt.module, attempt.tier->slot->name) : NULL;
    if (!attempt.code) {
        reject(attempt.module ? "no-entry" : err.code, 0, 0);
        return BAD;
    }
    attempt.step = "takes calls down";
    enum outcome outcome = compare();
    if (outcome == GOOD)
        outcome = time_it(result);
    if (outcome == GOOD)
        decide(result);
    return outcome;
}

/* Memory for the calls that are taken down; false: none. */
static bool get_memory(void) {
    if (!trial.memory)
        trial.memory = kzalloc_aligned(TRIAL_CALLS * (size_t)CALL_BYTES, 64);
    return trial.memory != NULL;
}

static void give_memory_back(void) {
    kfree(trial.memory);
    trial.memory = NULL;
}

static void run(const struct jit_job *job, const uint8_t *key) {
    struct tier *t = attempt.tier;
    struct fluid_error err;
    struct jit_result made;
    struct measured result = {0};
    uint8_t *response;
    attempt.step = "compiles";
    if (jit_compile(job, &response, &made, &err) != 0) {
        reject(err.code, 0, 0);
        t->tried = attempt.level; /* in this boot */
        return;
    }
    attempt.compile_ns = made.parse_ns + made.optimise_ns + made.generate_ns;
    t->compile_ns += attempt.compile_ns;
    enum outcome outcome = attempt.abandoned ? LATER : try_out(&made, &result);
    if (outcome == LATER)
        t->retry_calls = calls_of(t) + RETRY_CALLS;
    else
        t->tried = attempt.level;
    if (outcome == GOOD)
        keep(key, &made, &result);
    if (outcome == BAD)
        entry_quarantine(key);
    kfree(response);
    tier_discard(attempt.module);
}

void tier_attempt(struct tier *tier, unsigned level) {
    struct jit_job job;
    uint8_t key[CACHE_KEY_SIZE];
    if (!tier_job(tier, level, &job) || !entry_key(&job, tier->slot->rows, tier->slot->cols, key) ||
        !get_memory()) {
        tier->tried = level;
        return;
    }
    attempt = (struct attempt){.tier = tier, .level = level, .incumbent = tier->slot->code};
    run(&job, key);
    attempt = (struct attempt){0};
    give_memory_back();
}
