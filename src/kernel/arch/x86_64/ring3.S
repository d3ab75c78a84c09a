/* ring3.S - the way into ring 3, and SYSCALL's way back. Both ways to ring 3 end in isr.S, with IRETQ:
 * it takes any frame that ring3.c has made, where SYSRET has traps of its own (an address that is not
 * canonical faults in ring 0, with the stack of ring 3). */
#include "arch/x86/gdt.h"
#include "arch/x86/trap.h"
#include "arch/x86_64/registers.inc"
#include "arch/x86_64/ring3.h"

    .text
    .p2align 4
    .globl ring3_enter
    .type ring3_enter, @function
ring3_enter: /* RDI: struct trap_frame; RSI: where the stack pointer goes */
    andq $-16, %rsp
    movq %rsp, (%rsi)
    movq %rdi, %rbx
    movq %rsp, %rdi
    call ring3_use_stack
    movq %rbx, %rsp
    xorl %ebx, %ebx
    jmp isr_return
    .size ring3_enter, . - ring3_enter

/* RCX: where it returns to; R11: the flags; RSP and all others are the program's. Flags of SFMASK
 * are clear, interrupts off. */
    .p2align 4
    .globl ring3_system_call
    .type ring3_system_call, @function
ring3_system_call:
    swapgs
    movq %rsp, %gs:CORE_USER_STACK
    movq %gs:CORE_KERNEL_STACK, %rsp
    pushq $GDT_USER_DATA
    pushq %gs:CORE_USER_STACK
    pushq %r11
    pushq $GDT_USER_CODE
    pushq %rcx
    pushq $0
    pushq $TRAP_SYSCALL
    SAVE_REGISTERS
    cld
    xorl %ebp, %ebp /* ends backtraces */
    xorl %ebx, %ebx
    movq %rsp, %rdi
    call ring3_handle_call
    jmp isr_return
    .size ring3_system_call, . - ring3_system_call

    .section .note.GNU-stack, "", @progbits
