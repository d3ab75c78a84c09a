/* isr.S (x86_64) - what all stubs of isr_stubs.S go on with: the registers are saved, which completes
 * struct trap_frame, and restored. Interrupted code may be anywhere in vector code: nothing here and
 * nothing in the kernel touches vector registers, so they need no saving.
 *
 * In the kernel GS.base leads to struct core and KERNEL_GS_BASE is 0; in ring 3, which can change
 * neither, it is the other way round (ring3.c). What comes from ring 3 exchanges them. Between that
 * and ring 3 only what cannot be held off may come, in ring 0 with ring 3's GS.base: those vectors
 * look at it. */
#include "arch/x86/control.h"
#include "arch/x86/trap.h"
#include "arch/x86_64/registers.inc"

#define FRAME_VECTOR 120
#define FRAME_CS 144

    .section .text

    .p2align 4
    .globl isr_common
    .type isr_common, @function
isr_common:
    SAVE_REGISTERS
    cld
    xorl %ebx, %ebx /* 1: GS.base is to be exchanged once more, although ring 0 goes on */
    testb $3, FRAME_CS(%rsp)
    jnz from_ring3
    cmpl $TRAP_NMI, FRAME_VECTOR(%rsp)
    je look_at_gs
    cmpl $TRAP_DOUBLE_FAULT, FRAME_VECTOR(%rsp)
    je look_at_gs
    cmpl $TRAP_MACHINE_CHECK, FRAME_VECTOR(%rsp)
    je look_at_gs
handle:
    movq %rsp, %rdi
    call trap_handle
    .globl isr_return
isr_return: /* RSP: struct trap_frame; EBX as above; interrupts are off */
    testb $3, FRAME_CS(%rsp)
    jnz exchange
    testl %ebx, %ebx
    jz restore
exchange:
    swapgs
restore:
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp
    iretq

from_ring3:
    xorl %ebp, %ebp /* ends backtraces */
    swapgs
    pushfq /* an interrupt leaves AC as it was, which would switch SMAP off */
    andl $~EFLAGS_AC, (%rsp)
    popfq
    jmp handle

look_at_gs:
    movl $MSR_GS_BASE, %ecx
    rdmsr
    orl %edx, %eax
    jnz handle
    movl $1, %ebx
    swapgs
    jmp handle
    .size isr_common, . - isr_common

    .section .note.GNU-stack, "", @progbits
