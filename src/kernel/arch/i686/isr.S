/* isr.S (i686) - one stub per vector brings the stack into the shape of struct trap_frame
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
    pushl $0
    .endif
    pushl $\vector
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
    pushal
    /* pushal stored its own start as esp; the interrupted esp lies above vector, error code and the
     * three words of the processor. popal ignores the field. */
    addl $20, 12(%esp)
    cld
    movl %esp, %eax
    pushl %eax
    call trap_handle
    addl $4, %esp
    popal
    addl $8, %esp
    iretl
    .size isr_common, . - isr_common

    .section .rodata
    .p2align 2
    .global isr_stubs
isr_stubs:
    .macro STUB_ADDRESS number
    .long stub_\number
    .endm
    .set n, 0
    .rept 48
    STUB_ADDRESS %n
    .set n, n + 1
    .endr
    .size isr_stubs, . - isr_stubs

    .section .note.GNU-stack, "", @progbits
