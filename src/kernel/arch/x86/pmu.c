/* pmu.c - performance counters by CPUID leaf 0xA (Intel SDM vol. 3B, 20.2: architectural
 * performance monitoring). Fixed counter 0 counts instructions where there is one; the general
 * counters take the other events in the order of enum pmu_event. */
#include "arch/x86/pmu.h"

#include <stddef.h>

#include "arch/x86/control.h"
#include "arch/x86/probe.h"

#define CPUID_PMU 0xau
#define MSR_COUNTER(n) (0xc1u + (n))
#define MSR_SELECT(n) (0x186u + (n))
#define MSR_FIXED_COUNTER 0x309u
#define MSR_FIXED_CONTROL 0x38du
#define MSR_GLOBAL_CONTROL 0x38fu /* from version 2 on */
#define SELECT_ENABLE (1u << 22)
#define SELECT_ALL_RINGS (3u << 16)
#define FIXED_ALL_RINGS 3u
#define READ_FIXED (1u << 30)     /* of RDPMC's number */
#define GLOBAL_FIXED (1ull << 32) /* fixed counter 0 */
#define TRIAL_BRANCHES 1000u
#define GENERAL_MAX 32u /* bits of IA32_PERF_GLOBAL_CTRL below the fixed ones */

struct counter {
    bool used;
    uint32_t number; /* for RDPMC */
    uint64_t mask;   /* of its width */
    uint64_t last;
};

/* How an event is asked for (SDM table 20-1) and which bit of EBX says that it is not there. */
static const struct event {
    uint32_t select; /* event and unit mask; 0: no architectural event */
    unsigned absent_bit;
} events[PMU_EVENTS] = {
    [PMU_INSTRUCTIONS] = {0x00c0, 1},     [PMU_BRANCH_MISSES] = {0x00c5, 6},
    [PMU_CACHE_MISSES] = {0x412e, 4},     [PMU_BRANCHES] = {0x00c4, 5},
    [PMU_CACHE_REFERENCES] = {0x4f2e, 3}, [PMU_TLB_MISSES] = {0, 0},
};

static struct counter counters[PMU_EVENTS];
static struct pmu_counts pending; /* counted, not yet charged */
static struct pmu_counts charged;
static bool any;

static uint64_t mask_of(uint32_t width) {
    return width < 64 ? (1ull << width) - 1 : UINT64_MAX;
}

static void use(enum pmu_event event, uint32_t number, uint32_t width) {
    counters[event] = (struct counter){true, number, mask_of(width), 0};
    any = true;
}

static void read_counters(void) {
    for (unsigned i = 0; i < PMU_EVENTS; i++) {
        struct counter *c = &counters[i];
        if (!c->used)
            continue;
        uint64_t now = read_pmc(c->number);
        pending.of[i] += (now - c->last) & c->mask;
        c->last = now;
    }
}

/* Whether a counter that was started counts what is bound to happen: branches, or instructions. */
static bool counts(uint32_t number, uint32_t width) {
    uint64_t before, after;
    if (!probe_read_pmc(number, &before))
        return false;
    for (unsigned i = 0; i < TRIAL_BRANCHES; i++)
        __asm__ volatile("" : "+r"(i));
    return probe_read_pmc(number, &after) && ((after - before) & mask_of(width)) >= TRIAL_BRANCHES;
}

static bool is_there(struct cpuid leaf, enum pmu_event event) {
    const struct event *e = &events[event];
    return e->select != 0 && e->absent_bit < leaf.eax >> 24 && !(leaf.ebx >> e->absent_bit & 1);
}

static bool try_fixed(uint32_t width) {
    return probe_write_msr(MSR_FIXED_COUNTER, 0) &&
           probe_write_msr(MSR_FIXED_CONTROL, FIXED_ALL_RINGS) && counts(READ_FIXED, width);
}

static bool set_general(uint32_t number, uint32_t select) {
    return probe_write_msr(MSR_SELECT(number), 0) && probe_write_msr(MSR_COUNTER(number), 0) &&
           probe_write_msr(MSR_SELECT(number), SELECT_ENABLE | SELECT_ALL_RINGS | select);
}

/* Each counter is tried with an event that happens: misses may well be none. */
static bool try_general(struct cpuid leaf, uint32_t number, uint32_t width) {
    enum pmu_event trial = is_there(leaf, PMU_BRANCHES) ? PMU_BRANCHES : PMU_INSTRUCTIONS;
    return is_there(leaf, trial) && set_general(number, events[trial].select) &&
           counts(number, width);
}

/* Gives each event a counter that counts. */
static void assign(struct cpuid leaf) {
    uint32_t version = leaf.eax & 255, general = leaf.eax >> 8 & 255, width = leaf.eax >> 16 & 255;
    uint32_t fixed = version >= 2 ? leaf.edx & 31 : 0, fixed_width = leaf.edx >> 5 & 255;
    uint32_t next = 0;

    general = general < GENERAL_MAX ? general : GENERAL_MAX;
    if (version >= 2 &&
        !probe_write_msr(MSR_GLOBAL_CONTROL, (fixed > 0 ? GLOBAL_FIXED : 0) | mask_of(general)))
        return;
    if (fixed > 0 && try_fixed(fixed_width))
        use(PMU_INSTRUCTIONS, READ_FIXED, fixed_width);
    for (unsigned i = 0; i < PMU_EVENTS && next < general; i++) {
        if (counters[i].used || !is_there(leaf, (enum pmu_event)i))
            continue;
        while (next < general && !try_general(leaf, next, width))
            next++;
        if (next < general && set_general(next, events[i].select))
            use((enum pmu_event)i, next++, width);
    }
}

void pmu_init(void) {
    struct cpuid leaf = cpuid(CPUID_PMU, 0);
    uintptr_t flags = interrupts_save();

    if ((leaf.eax & 255) > 0)
        assign(leaf);
    read_counters();
    pending = (struct pmu_counts){0};
    interrupts_restore(flags);
}

bool pmu_has(enum pmu_event event) {
    return counters[event].used;
}

void pmu_tick(void) {
    if (any)
        read_counters();
}

void pmu_charge(struct pmu_counts *to) {
    if (!any)
        return;
    read_counters();
    for (unsigned i = 0; i < PMU_EVENTS; i++) {
        charged.of[i] += pending.of[i];
        if (to != NULL)
            to->of[i] += pending.of[i];
    }
    pending = (struct pmu_counts){0};
}

struct pmu_counts pmu_charged(void) {
    return charged;
}
