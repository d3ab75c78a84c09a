/* kapi.h (kernel) - the kernel API by name, for linking modules (see fluid/kapi.h). */
#ifndef KERNEL_LOAD_KAPI_H
#define KERNEL_LOAD_KAPI_H

/* Address of a function that modules may import; NULL for any other name. */
void *kapi_resolve(const char *name);
/* Who shows the progress that modules report through fluid_progress; NULL: nobody. */
void kapi_set_progress(void (*show)(const char *what, uint64_t done, uint64_t total));
#endif
