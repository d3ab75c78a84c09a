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
#define SYNC_NS (60 * CLOCK_NS_PER_S) /* between two of the cache */

struct choice {
    const struct tier *tier;
    unsigned level;
    uint64_t cycles;
};

static void consider(const struct tier *t, void *context) {
    struct choice *best = context;
    const struct profile *p = t->slot->profile;
    if (!p || p->calls < t->retry_calls)
        return;
    unsigned level = tier_level_of(p->calls, p->cycles);
    if (level <= t->tried || !tier_attempt_fits(t) || (best->tier && p->cycles <= best->cycles))
        return;
    *best = (struct choice){t, level, p->cycles};
}

/* A host at the serial line is found late. */
static void meet(const struct compiler *compiler) {
    static const struct compiler *met;
    if (compiler && compiler != met)
        tier_look_up();
    if (compiler)
        met = compiler;
}

static void work(void *unused) {
    uint64_t synced = clock_ns();
    (void)unused;
    for (;;) {
        struct choice best = {0};
        meet(compiler_current());
        if (compiler_current())
            tier_for_each(consider, &best);
        if (best.tier)
            tier_attempt((struct tier *)best.tier, best.level);
        tier_attempts_look();
        tier_bury();
        if (clock_ns() - synced > SYNC_NS) {
            cache_partition_sync();
            synced = clock_ns();
        }
        if (!best.tier)
            task_sleep_until(clock_ns() + LOOK_NS);
    }
}

static void look_for_bitcode(const struct loaded_module *m, void *context) {
    size_t size;
    if (module_bitcode(m, &size))
        *(bool *)context = true;
}

void tier_init(void) {
    struct fluid_error err;
    bool bitcode = false;
    module_for_each(look_for_bitcode, &bitcode);
    if (!bitcode || !module_find("trial"))
        return;
    tier_watch_slots();
    if (!task_create("jit", TASK_BACKGROUND_PRIORITY, work, NULL, &err))
        report_warn(&err);
}
