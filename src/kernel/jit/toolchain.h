/* toolchain.h - whose code the keys of cache entries are about: that of the compiler in reach, and
 * where there is none that of the last one whose code went into the cache, since a host that
 * compiles over the serial line is not there at every boot. */
#ifndef KERNEL_JIT_TOOLCHAIN_H
#define KERNEL_JIT_TOOLCHAIN_H

/* As in struct compiler; NULL: nobody has ever compiled. Valid until the next call. */
const char *toolchain_current(void);
/* The cache has code of the compiler in reach from now on. */
void toolchain_keep(void);
#endif
