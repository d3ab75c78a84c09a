/* isr_stubs.S - one stub per vector brings the stack into the shape of struct trap_frame (trap.h) and
 * goes on in isr_common (arch/<target>/isr.S). Exceptions 8, 10-14, 17, 21, 29 and 30 push an error
 * code themselves (Intel SDM vol. 3A, section 6.3.1; 29 and 30: AMD APM vol. 2, section 8.2). */
#include "arch/x86/trap.h"

#ifdef __x86_64__
#define ADDRESS .quad
#else
#define ADDRESS .long
#endif

    .section .text

    .macro STUB vector
    .p2align 4
stub_\vector:
    .set has_code, (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17)
    .set has_code, has_code || (\vector == 21) || (\vector == 29) || (\vector == 30)
    .if !has_code
    push $0
    .endif
    push $\vector
    jmp isr_common
    .endm

    .macro STUB_ADDRESS vector
    ADDRESS stub_\vector
    .endm

    .altmacro
    .set n, 0
    .rept TRAP_VECTORS
    STUB %n
    .set n, n + 1
    .endr

    .section .rodata
    .p2align 3
    .globl isr_stubs
isr_stubs:
    .set n, 0
    .rept TRAP_VECTORS
    STUB_ADDRESS %n
    .set n, n + 1
    .endr
    .size isr_stubs, . - isr_stubs

    .section .note.GNU-stack, "", @progbits
