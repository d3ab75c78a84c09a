/* alloc_failure.h - memory that runs out at one place, on purpose: one allocation finds none, all
 * others go on as ever. For tests, which try every place once (fluid-host --fail-alloc). */
#ifndef KERNEL_MM_ALLOC_FAILURE_H
#define KERNEL_MM_ALLOC_FAILURE_H

#include <stdbool.h>

/* The number-th allocation from now on, of pages or of a small block, fails; 0: none does. */
void alloc_failure_set(unsigned number);
/* Asked by each allocation, once: is it the one? Says so on the console. */
bool alloc_failure_due(void);

#endif
