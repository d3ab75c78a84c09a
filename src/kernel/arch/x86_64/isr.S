/* isr.S (x86_64) - one stub per vector brings the stack into the shape of struct trap_frame
 * (trap.h). Exceptions 8, 10-14, 17, 21, 29 and 30 push an error code themselves (Intel SDM vol.
 * 3A, section 6.3.1; 29 and 30: AMD APM vol. 2, section 8.2). Interrupted code may be anywhere in
 * vector code: nothing here and nothing in the kernel touches vector registers, so they need no
 * saving. */
    .section .text

    .macro STUB vector
    .p2align 4
stub_\vector:
    .set has_code, (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17)
    .set has_code, has_code || (\vector == 21) || (\vector == 29) || (\vector == 30)
    .if !has_code
    pushq $0
    .endif
    pushq $\vector
    jmp isr_common
    .endm

    .altmacro
    .macro STUB_NUMBER number
    STUB \number
    .endm
    .set n, 0
    .rept 48
    STUB_NUMBER %n
    .set n, n + 1
    .endr

    .p2align 4
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

    .section .rodata
    .p2align 3
    .global isr_stubs
isr_stubs:
    .macro STUB_ADDRESS number
    .quad stub_\number
    .endm
    .set n, 0
    .rept 48
    STUB_ADDRESS %n
    .set n, n + 1
    .endr
    .size isr_stubs, . - isr_stubs

    .section .note.GNU-stack, "", @progbits
