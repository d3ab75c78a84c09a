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

static void use_none(void) {
    for (unsigned i = 0; i < PMU_EVENTS; i++)
        counters[i].used = false;
    any = false;
}

/* The first time. */
static bool can_be_read(void) {
    for (unsigned i = 0; i < PMU_EVENTS; i++)
        if (counters[i].used && !probe_read_pmc(counters[i].number, &counters[i].last))
            return false;
    return true;
}

/* True when an event that is bound to happen was counted. */
static bool counts(enum pmu_event event) {
    uint64_t before = pending.of[event];
    for (unsigned i = 0; i < TRIAL_BRANCHES; i++)
        __asm__ volatile("" : "+r"(i));
    read_counters();
    return !counters[event].used || pending.of[event] - before >= TRIAL_BRANCHES;
}

static bool set_fixed(void) {
    return probe_write_msr(MSR_FIXED_COUNTER, 0) &&
           probe_write_msr(MSR_FIXED_CONTROL, FIXED_ALL_RINGS);
}

static bool set_general(uint32_t number, uint32_t select) {
    return probe_write_msr(MSR_SELECT(number), 0) && probe_write_msr(MSR_COUNTER(number), 0) &&
           probe_write_msr(MSR_SELECT(number), SELECT_ENABLE | SELECT_ALL_RINGS | select);
}

/* Gives each event a counter, unless the processor refuses that. */
static void assign(struct cpuid leaf) {
    uint32_t version = leaf.eax & 255, general = leaf.eax >> 8 & 255, width = leaf.eax >> 16 & 255;
    uint32_t bits = leaf.eax >> 24, fixed = version >= 2 ? leaf.edx & 31 : 0, next = 0;
    uint64_t started = 0;

    if (fixed > 0 && set_fixed()) {
        use(PMU_INSTRUCTIONS, READ_FIXED, leaf.edx >> 5 & 255);
        started |= GLOBAL_FIXED;
    }
    for (unsigned i = 0; i < PMU_EVENTS && next < general; i++) {
        const struct event *e = &events[i];
        if (counters[i].used || e->select == 0 || e->absent_bit >= bits ||
            leaf.ebx >> e->absent_bit & 1 || !set_general(next, e->select))
            continue;
        use((enum pmu_event)i, next, width);
        started |= 1ull << next++;
    }
    if (version >= 2 && !probe_write_msr(MSR_GLOBAL_CONTROL, started))
        use_none();
}

void pmu_init(void) {
    struct cpuid leaf = cpuid(CPUID_PMU, 0);
    uint32_t version = leaf.eax & 255;
    uintptr_t flags = interrupts_save();

    if (version > 0)
        assign(leaf);
    if (!can_be_read() || !counts(PMU_INSTRUCTIONS) || !counts(PMU_BRANCHES))
        use_none();
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
