/* counters.h - the counters of what the compiler has instrumented, modules (`scons pgo=1`) or
 * modules and the kernel (`scons coverage`): where they lie, and their export. */
#ifndef KERNEL_PROF_COUNTERS_H
#define KERNEL_PROF_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* One `profraw` event for the kernel, if it is instrumented, and for each instrumented module;
 * returns how many. */
unsigned counters_export(void);
/* What lies in start .. start + size is gone. */
void counters_forget(uintptr_t start, size_t size);
#endif
