/* kapi.h (kernel) - the kernel API by name, for linking modules (see fluid/kapi.h). */
#ifndef KERNEL_LOAD_KAPI_H
#define KERNEL_LOAD_KAPI_H

#include <stddef.h>

/* Address of a function that modules may import; NULL for any other name. */
void *kapi_resolve(const char *name);

/* kapi_memory.c: the C library's functions of these names, for modules. */
void *module_malloc(size_t size);
void *module_calloc(size_t count, size_t size);
void *module_realloc(void *memory, size_t size);
void module_free(void *memory);
#endif
