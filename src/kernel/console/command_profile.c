/* command_profile.c - /profile: what was measured, as a table and as an event; and the counters of
 * what is instrumented. */
#include "console/command.h"

#include "console/argument.h"
#include "console/event.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "prof/counters.h"
#include "prof/hotness.h"
#include "prof/profile.h"
#include "prof/sample.h"

#define SHOWN 20u

static const struct profile *shown[SHOWN]; /* most cycles first */
static unsigned shown_count;
static uint64_t calls, unshown;

static void consider(const struct profile *p, void *context) {
    unsigned at = shown_count;

    (void)context;
    if (p->calls == 0)
        return;
    calls += p->calls;
    while (at > 0 && p->cycles > shown[at - 1]->cycles)
        at--;
    if (shown_count == SHOWN)
        unshown++;
    if (at == SHOWN)
        return;
    shown_count += shown_count < SHOWN;
    for (unsigned i = shown_count - 1; i > at; i--)
        shown[i] = shown[i - 1];
    shown[at] = p;
}

static void print_row(const struct profile *p) {
    char shape[24] = "";

    if (p->cols > 0)
        ksnprintf(shape, sizeof(shape), "%u x %u", p->rows, p->cols);
    else if (p->rows > 0)
        ksnprintf(shape, sizeof(shape), "%u", p->rows);
    kprintf("  %-22s %-14s %10llu %12llu %12llu  %s\n", p->function, shape,
            (unsigned long long)p->calls, (unsigned long long)profile_median(p),
            (unsigned long long)(p->cycles / 1000), p->target);
}

static void print(void) {
    struct sample_totals totals;

    calls = unshown = shown_count = 0;
    profile_for_each(consider, NULL);
    kprintf("  %-22s %-14s %10s %12s %12s  %s\n", "function", "shape", "calls", "median",
            "kilocycles", "variant");
    for (unsigned i = 0; i < shown_count; i++)
        print_row(shown[i]);
    if (unshown > 0)
        kprintf("  and %llu more\n", (unsigned long long)unshown);
    sample_fold();
    totals = sample_totals();
    kprintf("%llu calls, %llu cycles to record one; %llu samples of stacks, %llu idle, %llu lost\n",
            (unsigned long long)calls, (unsigned long long)profile_overhead(),
            (unsigned long long)totals.taken, (unsigned long long)totals.idle,
            (unsigned long long)totals.lost);
}

void command_profile(char *argument, size_t length) {
    struct fluid_error err;

    if (length == 0) {
        print();
        hotness_export();
    } else if (strcmp(argument, "reset") == 0) {
        hotness_reset();
    } else if (strcmp(argument, "counters") == 0) {
        kprintf("%u parts with counters\n", counters_export());
    } else {
        fluid_fail(&err, "E-CON-03",
                   "/profile, /profile reset or /profile counters expected, found /profile %.40s",
                   argument);
        report_error(&err);
    }
}
