/* core_entry.S (x86_64) - where another processor begins: in real mode, in a copy of core_trampoline
 * at CORE_TRAMPOLINE (Intel SDM vol. 3A, 8.4.4). From there like entry.S, by its page tables. */
#include "arch/x86/control.h"
#include "arch/x86_64/core_entry.h"
#include "arch/x86_64/long_mode.inc"

#define CODE32 0x08
#define DATA 0x10
#define CODE64 0x18

    .section .rodata
    .code16
    .globl core_trampoline, core_trampoline_end
core_trampoline: /* CS = CORE_TRAMPOLINE / 16, IP = 0 */
    cli
    movw %cs, %ax
    movw %ax, %ds
    lgdtl core_gdt_pointer - core_trampoline
    movl %cr0, %eax
    orl $CR0_PE, %eax
    movl %eax, %cr0
    ljmpl $CODE32, $core_entry32
    .balign 4
core_gdt_pointer:
    .word core_gdt_pointer_end - core_gdt - 1
    .long core_gdt
core_trampoline_end:

    .balign 8
core_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* CODE32 */
    .quad 0x00cf93000000ffff /* DATA */
    .quad 0x00af9b000000ffff /* CODE64 */
core_gdt_pointer_end:

    .section .text.entry, "ax", @progbits
    .code32
    .type core_entry32, @function
core_entry32:
    movl $DATA, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    ENTER_LONG_MODE
    ljmp $CODE64, $core_entry64
    .size core_entry32, . - core_entry32

    .text
    .code64
    .type core_entry64, @function
core_entry64:
    movq core_stack_top, %rsp
    xorl %ebp, %ebp /* ends backtraces */
    call core_main
    ud2
    .size core_entry64, . - core_entry64

    .section .note.GNU-stack, "", @progbits
