/* config.h - llvm-libc's own switches (libc/config), included in front of each of its sources. */
#ifndef LLVMLIBC_SUBSET_CONFIG_H
#define LLVMLIBC_SUBSET_CONFIG_H

#define LIBC_NAMESPACE __llvm_libc
#define LIBC_FULL_BUILD            /* its headers and ours, none of a system's */
#define LIBC_COPT_PUBLIC_PACKAGING /* functions by their C names, too */
#define LIBC_ERRNO_MODE 3 /* LIBC_ERRNO_MODE_SHARED: one int, there is no thread-local storage */
#define LIBC_QSORT_IMPL 2 /* LIBC_QSORT_HEAP_SORT: its quick sort may recurse n deep */
#define LIBC_COPT_PRINTF_DISABLE_INDEX_MODE /* %1$d costs 1 KiB of stack */
#define LIBC_COPT_PRINTF_DISABLE_WRITE_INT  /* %n */
#define LIBC_COPT_PRINTF_DISABLE_FLOAT      /* the kernel has no floating point */

#ifdef __i386__ /* llvm-libc has no 32-bit x86 of its own; the state is what x86-64 calls it */
#define LLVM_LIBC_TYPES_FENV_T_H
typedef struct {
    unsigned char x87[28]; /* of FNSTENV */
    unsigned mxcsr;
} fenv_t;
#endif

#define LIBC_COPT_PRINTF_CONV_ATLAS "printf/converters.h"

#endif
