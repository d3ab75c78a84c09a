/* pmu.h - the processor's performance counters: architectural events of CPUID leaf 0xA (Intel SDM
 * vol. 3B, chapter 20). They count on the boot processor, in the kernel and in modules. What this
 * processor cannot count, or has no counter left for, is absent, which is not zero. */
#ifndef KERNEL_ARCH_X86_PMU_H
#define KERNEL_ARCH_X86_PMU_H

#include <stdbool.h>
#include <stdint.h>

enum pmu_event {
    PMU_INSTRUCTIONS, /* retired, as the others */
    PMU_BRANCH_MISSES,
    PMU_CACHE_MISSES, /* of the last level */
    PMU_BRANCHES,
    PMU_CACHE_REFERENCES, /* that came to the last level */
    PMU_TLB_MISSES,       /* no architectural event: absent */
    PMU_EVENTS
};

struct pmu_counts {
    uint64_t of[PMU_EVENTS];
};

/* Starts what can be counted. Counters that stand still or cannot be read are taken for none at
 * all: emulators have such. */
void pmu_init(void);
bool pmu_has(enum pmu_event event);
/* Before a counter wraps around (timer.c); interrupts are off here and in pmu_charge. */
void pmu_tick(void);
/* Adds to *counts what was counted since the last charge; NULL: it is nobody's. */
void pmu_charge(struct pmu_counts *counts);
/* Everything since pmu_init that was charged, also to nobody. */
struct pmu_counts pmu_charged(void);
#endif
