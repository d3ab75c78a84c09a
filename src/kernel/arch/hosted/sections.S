/* sections.S - what kernel.ld and entry32.S define on the bare machine: an address in each kind of
 * section, and the kernel's stack above its guard page. (Start and end of the program: the linker,
 * fluid/hosted.py.) The stack is larger than on the bare machine, since sanitizers need more. */
#define PAGE_SIZE 4096
#define STACK_SIZE 0x100000

    .text
    .globl kernel_text_start
    .type kernel_text_start, @object
kernel_text_start:
    ud2

    .section .rodata, "a", @progbits
    .globl kernel_rodata_start
kernel_rodata_start:
    .long 0

    .data
    .globl kernel_data_start
kernel_data_start:
    .long 0

    .bss
    .balign PAGE_SIZE
    .globl kernel_stack_guard, kernel_stack_bottom, kernel_stack_top
kernel_stack_guard: /* made absent by gdt_init */
    .skip PAGE_SIZE
kernel_stack_bottom:
    .skip STACK_SIZE
kernel_stack_top:

    .section .note.GNU-stack, "", @progbits
