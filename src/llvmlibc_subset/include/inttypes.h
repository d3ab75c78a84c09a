/* inttypes.h - as much of it as llvm-libc's sources use. */
#ifndef LLVMLIBC_SUBSET_INTTYPES_H
#define LLVMLIBC_SUBSET_INTTYPES_H

#include <stdint.h>

typedef struct {
    intmax_t quot, rem;
} imaxdiv_t;

#endif
