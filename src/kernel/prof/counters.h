/* counters.h - the branch counters of modules that the compiler has instrumented
 * (`scons pgo=1`): where they lie, and their export. */
#ifndef KERNEL_PROF_COUNTERS_H
#define KERNEL_PROF_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* One `profraw` event for each instrumented module; returns how many there are. */
unsigned counters_export(void);
/* What lies in start .. start + size is gone. */
void counters_forget(uintptr_t start, size_t size);
#endif
