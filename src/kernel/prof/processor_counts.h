/* processor_counts.h - the processor's counters in events: `"counters": [[name, count or null]]`.
 */
#ifndef KERNEL_PROF_PROCESSOR_COUNTS_H
#define KERNEL_PROF_PROCESSOR_COUNTS_H

#include "arch/x86/pmu.h"

/* Adds to *sum what *after has more than *before. */
void processor_counts_add(struct pmu_counts *sum, const struct pmu_counts *before,
                          const struct pmu_counts *after);
/* The field of the event that is being written; null for what this processor does not count. */
void processor_counts_tell(const struct pmu_counts *counts);
#endif
