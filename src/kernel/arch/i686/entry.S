/* entry.S (i686) - from the checked entry to C. Segments are still stage2's flat ones, paging is
 * off; gdt_init and paging_init replace both. */

    .section .text.entry, "ax", @progbits
    .globl entry_arch
    .type entry_arch, @function
entry_arch: /* EBP = struct bootinfo */
    movl $kernel_stack_top, %esp
    movl %ebp, %eax
    xorl %ebp, %ebp /* ends backtraces */
    subl $12, %esp  /* System V ABI, i386: the first argument is 16-byte aligned */
    pushl %eax
    call kernel_main
    ud2
    .size entry_arch, . - entry_arch
