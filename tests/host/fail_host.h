/* fail_host.h - one allocation that fails: each stand-in for an allocator of the kernel asks. */
#ifndef FAIL_HOST_H
#define FAIL_HOST_H

#include <stdbool.h>

/* From now on the allocation with this number fails, counted from 0; -1: none. */
void host_fail_allocation(long number);
/* True for the one that is to fail. */
bool host_allocation_fails(void);
/* Has it come since host_fail_allocation? */
bool host_allocation_failed(void);
#endif
