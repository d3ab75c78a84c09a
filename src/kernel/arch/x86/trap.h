/* trap.h - exceptions and interrupts as isr.S hands them over. The layout of struct trap_frame is
 * what the processor, the stubs of isr_stubs.S and arch/<target>/isr.S push, lowest address first.
 */
#ifndef KERNEL_ARCH_X86_TRAP_H
#define KERNEL_ARCH_X86_TRAP_H

#define TRAP_NMI 2
#define TRAP_DOUBLE_FAULT 8
#define TRAP_PAGE_FAULT 14
#define TRAP_MACHINE_CHECK 18
#define TRAP_EXCEPTIONS 32
#define TRAP_VECTORS 64 /* exceptions, 16 IRQs (irq.h), then the local APIC's: */
#define TRAP_LAPIC_TIMER 48
#define TRAP_LAPIC_ERROR 49
#define TRAP_CORE_WAKE 50
#define TRAP_CORE_FLUSH 51
#define TRAP_CORE_LOOK 52
#define TRAP_OVERTIME 62       /* of a call that takes too long: no interrupt has this vector */
#define TRAP_LAPIC_SPURIOUS 63 /* the four low bits are 1 in old processors (SDM vol. 3A, 10.9) */
#define TRAP_SYSCALL 64 /* no vector: struct trap_frame of a system call (arch/x86_64/ring3.S) */

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/backtrace.h"

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
void idt_load(void);                        /* for another core, once it is filled */
void trap_handle(struct trap_frame *frame); /* from isr.S */

#ifdef __x86_64__
#define FRAME_IP(f) ((f)->rip)
#define FRAME_AX(f) ((f)->rax)
#define FRAME_BP(f) ((f)->rbp)
#define FRAME_SP(f) ((f)->rsp)
#define FRAME_FLAGS(f) ((f)->rflags)
#else
#define FRAME_IP(f) ((f)->eip)
#define FRAME_AX(f) ((f)->eax)
#define FRAME_BP(f) ((f)->ebp)
#define FRAME_SP(f) ((f)->esp) /* changing it changes nothing: the return leaves ESP alone */
#define FRAME_FLAGS(f) ((f)->eflags)
#endif

/* An exception that the system goes on after. */
struct trap_fault {
    struct trap_frame frame;
    uintptr_t address; /* of a page fault */
    size_t count;
    uintptr_t trace[BACKTRACE_MAX]; /* (count,) */
};

/* Report, event, exit (trap_report.c). */
_Noreturn void trap_panic(const struct trap_frame *frame);
/* The same report for people, of a fault that was survived. */
void trap_print_fault(const struct trap_fault *fault);
const char *trap_name(unsigned vector);
/* A jump to a page without code leaves no frame of its own: the top of the stack tells where it
 * came from, if it was a call. 0: the fault is of another kind. */
uintptr_t trap_called_from(const struct trap_frame *frame, uintptr_t address);
/* When a guarded call of a module (load/guard.h) faults: lets frame return to the guard
 * (trap_recover.c).
 */
bool trap_recover(struct trap_frame *frame);
/* The same for a guarded call that was interrupted at frame, in a module, behind its time limit
 * (module_guard_limit), or after it has come to no end (module_guard_look); false: it goes on.
 * tick: one of TIMER_HZ interrupts in a second, which are counted. */
bool trap_overtime(struct trap_frame *frame, bool tick);
/* For the report: the address of the last page fault, and the processor's state as words. */
uintptr_t trap_address(void);
void trap_print_state(void);
#endif

#endif
