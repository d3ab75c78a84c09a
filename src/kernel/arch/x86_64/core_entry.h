/* core_entry.h - between core_entry.S and cores.c: how another processor gets from real mode to C.
 */
#ifndef KERNEL_ARCH_X86_64_CORE_ENTRY_H
#define KERNEL_ARCH_X86_64_CORE_ENTRY_H

/* A page below 1 MiB: while booting, BIOS disk reads ended there (src/boot/layout.h); the page
 * allocator leaves everything below 1 MiB alone. */
#define CORE_TRAMPOLINE 0x10000

#ifndef __ASSEMBLER__
#include <stdint.h>

extern const uint8_t core_trampoline[], core_trampoline_end[];
extern uint8_t *volatile core_stack_top; /* of the core that is being started */
_Noreturn void core_main(void);          /* there, in long mode, by entry.S's page tables */
#endif
#endif
