/* probe.h - instructions that a processor may refuse although CPUID promises what they work on:
 * emulators do. The exception (#GP, vector 13) is an answer then, not the end. */
#ifndef KERNEL_ARCH_X86_PROBE_H
#define KERNEL_ARCH_X86_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct trap_frame;

bool probe_write_msr(uint32_t msr, uint64_t value); /* false: it was refused */
bool probe_read_pmc(uint32_t number, uint64_t *value);
/* trap.c: lets an exception of a probe return to it; false when the exception is of other code. */
bool probe_failed(struct trap_frame *frame);
#endif
