/* ring3.h - into ring 3 and back: SYSCALL, IRETQ and the stacks between (Intel SDM vol. 3A, 5.8.8).
 * On the boot processor only, which runs all tasks. */
#ifndef KERNEL_ARCH_X86_64_RING3_H
#define KERNEL_ARCH_X86_64_RING3_H

#define CORE_KERNEL_STACK 8 /* offsets in struct core */
#define CORE_USER_STACK 16

#ifndef __ASSEMBLER__
#include <stdint.h>

#include "arch/x86/trap.h"

/* Lets the processor take system calls; interrupts off or on. */
void ring3_init(void);
/* The stack on which what interrupts ring 3 from now on runs. */
void ring3_use_stack(uintptr_t stack);
/* Goes on as frame says, in ring 3. Interrupts are off. The stack of whoever calls this, from here
 * on, is the one for what interrupts ring 3; *stack is where. */
_Noreturn void ring3_enter(struct trap_frame *frame, uintptr_t *stack);
/* In an exception or interrupt of ring 3: what it returns to is call_resume with this context
 * (call_context.h), in ring 0. */
struct call_context;
void ring3_return_to(struct trap_frame *frame, const struct call_context *context);
/* A program begins at ip with this stack pointer, its other registers zero. */
void ring3_begin(struct trap_frame *frame, uintptr_t ip, uintptr_t stack);

/* Between ring3.S and ring3.c. */
void ring3_system_call(void);
void ring3_handle_call(struct trap_frame *frame);
#endif
#endif
