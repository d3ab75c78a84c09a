/* processor_counts.c - the processor's counters by name. */
#include "prof/processor_counts.h"

#include "console/event.h"

static const char *const names[PMU_EVENTS] = {
    [PMU_INSTRUCTIONS] = "instructions",         [PMU_BRANCH_MISSES] = "branch_misses",
    [PMU_CACHE_MISSES] = "cache_misses",         [PMU_BRANCHES] = "branches",
    [PMU_CACHE_REFERENCES] = "cache_references", [PMU_TLB_MISSES] = "tlb_misses",
};

void processor_counts_add(struct pmu_counts *sum, const struct pmu_counts *before,
                          const struct pmu_counts *after) {
    for (unsigned i = 0; i < PMU_EVENTS; i++)
        sum->of[i] += after->of[i] - before->of[i];
}

void processor_counts_tell(const struct pmu_counts *counts) {
    event_array_begin("counters");
    for (unsigned i = 0; i < PMU_EVENTS; i++) {
        event_array_begin(NULL);
        event_string(NULL, names[i]);
        if (pmu_has((enum pmu_event)i))
            event_u64(NULL, counts->of[i]);
        else
            event_null(NULL);
        event_array_end();
    }
    event_array_end();
}
