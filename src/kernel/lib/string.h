/* string.h - on the bare machine from llvm-libc, in fluid-host from the system's C library. */
#ifndef KERNEL_LIB_STRING_H
#define KERNEL_LIB_STRING_H

#include <string.h>

#endif
