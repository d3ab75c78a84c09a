/* kapi_host.h - knobs of the kernel API's host implementation. */
#ifndef KAPI_HOST_H
#define KAPI_HOST_H

#include "fluid/kapi.h"

extern size_t kapi_memory; /* bytes that fluid_alloc may give in total */
extern long
    kapi_polls_to_stop; /* fluid_poll says stop when this many calls have passed; -1: never */
extern uint32_t kapi_cores;
size_t kapi_memory_used(void);

#endif
