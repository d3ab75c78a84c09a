/* random.h - numbers that nobody can foretell. */
#ifndef KERNEL_ARCH_X86_RANDOM_H
#define KERNEL_ARCH_X86_RANDOM_H

#include <stdint.h>

/* RDRAND where CPUID has it, else the time-stamp counter, mixed: hard to guess from outside, no
 * secret before an attacker who runs code here. */
uint64_t cpu_random(void);

#endif
