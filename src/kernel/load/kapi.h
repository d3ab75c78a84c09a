/* kapi.h (kernel) - the kernel API by name, for linking modules (see fluid/kapi.h). */
#ifndef KERNEL_LOAD_KAPI_H
#define KERNEL_LOAD_KAPI_H

/* Address of a function that modules may import; NULL for any other name. */
void *kapi_resolve(const char *name);
#endif
