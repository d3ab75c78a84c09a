/* tier_task.c - the task that compiles, at low priority, whatever has taken most time and has been
 * called often enough for its next level. */
#include "arch/x86/clock.h"
#include "cache/cache_partition.h"
#include "console/event.h"
#include "jit/compiler.h"
#include "jit/tier_internal.h"
#include "load/module.h"
#include "prof/profile.h"
#include "task/task.h"

#define LOOK_NS (20 * 1000000ull)     /* between two looks at the slots */
#define IDLE_NS (500 * 1000000ull)    /* the same while nobody calls the model */
#define SYNC_NS (60 * CLOCK_NS_PER_S) /* between two of the cache */

struct choice {
    const struct tier *tier;
    unsigned level; /* 0: a knob */
    uint64_t cycles;
};

/* The level that the slot is worth now; 0: none that has not been decided on. */
static unsigned level_for(const struct tier *t) {
    if (!t->has_bitcode || !compiler_current())
        return 0;
    unsigned level = tier_level_of(t->slot->profile->calls, t->slot->profile->cycles);
    return level > t->tried ? level : 0;
}

/* Knobs are for code that stays. */
static bool may_tune(const struct tier *t) {
    bool decided = !t->has_bitcode || !compiler_current() || t->tried == JIT_LEVEL_MAX;
    return decided && !t->tuned &&
           tier_level_of(t->slot->profile->calls, t->slot->profile->cycles) >= 2;
}

/* Counts go back when they are reset (/profile reset). */
static bool rests(const struct tier *t) {
    uint64_t calls = t->slot->profile->calls;
    return calls < t->retry_calls && t->retry_calls - calls <= TIER_RETRY_CALLS;
}

/* Code goes before knobs, then what has taken most time. */
static void consider(const struct tier *t, void *context) {
    struct choice *best = context;
    const struct profile *p = t->slot->profile;
    if (!p || rests(t) || !tier_attempt_fits(t))
        return;
    unsigned level = level_for(t);
    if (level == 0 && !may_tune(t))
        return;
    bool first = !best->tier || (level > 0 && best->level == 0);
    if (first || ((level > 0) == (best->level > 0) && p->cycles > best->cycles))
        *best = (struct choice){t, level, p->cycles};
}

static void attempt(const struct choice *choice) {
    if (!choice->tier)
        return;
    if (choice->level > 0)
        tier_attempt((struct tier *)choice->tier, choice->level);
    else
        tier_tune((struct tier *)choice->tier);
}

/* A host at the serial line is found late. */
static const struct compiler *met;

static void meet(const struct compiler *compiler) {
    if (compiler && compiler != met)
        tier_look_up();
    if (compiler)
        met = compiler;
}

static void add_calls(const struct tier *t, void *context) {
    uint64_t *calls = context;
    *calls += t->slot->profile ? t->slot->profile->calls : 0;
}

/* Has the model run since the last look? */
static bool is_busy(void) {
    static uint64_t before;
    uint64_t calls = 0;
    tier_for_each(add_calls, &calls);
    bool busy = calls != before;
    before = calls;
    return busy;
}

static void work(void *unused) {
    uint64_t synced = clock_ns();
    (void)unused;
    for (;;) {
        struct choice best = {0};
        if (!tier_paused()) {
            meet(compiler_current());
            tier_refresh();
            tier_for_each(consider, &best);
            attempt(&best);
        }
        tier_attempts_look();
        tier_bury();
        if (clock_ns() - synced > SYNC_NS) {
            cache_partition_sync();
            synced = clock_ns();
        }
        if (!best.tier)
            task_sleep_until(clock_ns() + (is_busy() ? LOOK_NS : IDLE_NS));
    }
}

void tier_init(void) {
    struct fluid_error err;
    if (!module_find("trial"))
        return; /* an image of another kind: nothing is taken down, so nothing compared */
    met = compiler_current();
    tier_watch_slots();
    if (!task_create("jit", TASK_BACKGROUND_PRIORITY, work, NULL, &err))
        jit_warn(&err);
}
