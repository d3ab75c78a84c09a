/* target.h - what the build was made for: its CPU tag and the features of its profile. */
#ifndef KERNEL_ARCH_X86_TARGET_H
#define KERNEL_ARCH_X86_TARGET_H

#include <stdint.h>

extern const char target_tag[];        /* "x86-64-v2" */
extern const uint32_t target_features; /* enum fluid_cpu_feature */

#endif
