/* ksyms.h - the kernel's own function names for backtraces. The blob is made from kernel.elf by
 * site_scons/fluid/ksyms.py: magic "FSYM", u32 count, then count x {u32 address, u32 name offset}
 * sorted by address, then NUL-terminated names (offsets from the start of the blob). An empty name
 * ends the code before it. */
#ifndef KERNEL_LOAD_KSYMS_H
#define KERNEL_LOAD_KSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ksyms_init(const void *blob, size_t size); /* size 0 or damaged: names are simply absent */
/* Kernel or module symbol covering address, as "name+0x12", "module:name+0x12" or "?"; always
 * NUL-terminated. */
void ksyms_format(uintptr_t address, char *to, size_t size);
/* The same for the function that a return address belongs to: behind a call that never returns, as
 * its last instruction, begins another one. */
void ksyms_format_caller(uintptr_t return_address, char *to, size_t size);
/* Where the function begins that address is in; 0: none is known. */
uintptr_t ksyms_function(uintptr_t address);
#endif
