/* trap.h - exceptions and interrupts as isr.S hands them over. The layout of struct trap_frame is
 * what the processor, the stubs of isr_stubs.S and arch/<target>/isr.S push, lowest address first.
 */
#ifndef KERNEL_ARCH_X86_TRAP_H
#define KERNEL_ARCH_X86_TRAP_H

#define TRAP_DOUBLE_FAULT 8
#define TRAP_PAGE_FAULT 14
#define TRAP_EXCEPTIONS 32
#define TRAP_VECTORS 64 /* exceptions, 16 IRQs (irq.h), then the local APIC's: */
#define TRAP_LAPIC_TIMER 48
#define TRAP_LAPIC_ERROR 49
#define TRAP_LAPIC_SPURIOUS 63 /* the four low bits are 1 in old processors (SDM vol. 3A, 10.9) */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct trap_frame {
#ifdef __x86_64__
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
#else
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t vector, error_code;
    uint32_t eip, cs, eflags;
#endif
};

void idt_init(void);
void trap_handle(struct trap_frame *frame); /* from isr.S */
/* Report, event, exit (trap_report.c). */
_Noreturn void trap_panic(const struct trap_frame *frame);
/* For the report: the address of the last page fault, and the processor's state as words. */
uintptr_t trap_address(void);
void trap_print_state(void);
#endif

#endif
