/* alloc_failure.c - counts allocations down to the one that fails. */
#include "mm/alloc_failure.h"

#include "lib/printf.h"

static unsigned left; /* allocations up to that one; 0: none fails */

void alloc_failure_set(unsigned number) {
    left = number;
}

bool alloc_failure_due(void) {
    if (left == 0 || --left > 0)
        return false;
    kprintf("(an allocation is refused on purpose)\n");
    return true;
}
