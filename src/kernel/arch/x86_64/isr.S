/* isr.S (x86_64) - what all stubs of isr_stubs.S go on with: the registers are saved, which completes
 * struct trap_frame, and restored. Interrupted code may be anywhere in vector code: nothing here and
 * nothing in the kernel touches vector registers, so they need no saving. */
    .section .text

    .p2align 4
    .globl isr_common
    .type isr_common, @function
isr_common:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    call trap_handle
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
    .size isr_common, . - isr_common

    .section .note.GNU-stack, "", @progbits
