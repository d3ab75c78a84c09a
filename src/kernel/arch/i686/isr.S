/* isr.S (i686) - what all stubs of isr_stubs.S go on with: the registers are saved, which completes
 * struct trap_frame, and restored. Interrupted code may be anywhere in vector code: nothing here and
 * nothing in the kernel touches vector registers, so they need no saving. */
    .section .text

    .p2align 4
    .globl isr_common
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

    .section .note.GNU-stack, "", @progbits
