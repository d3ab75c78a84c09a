/* sections.h - addresses that the linker script (kernel.ld) and entry.S define. Only the address of
 * each symbol means something. */
#ifndef KERNEL_ARCH_X86_SECTIONS_H
#define KERNEL_ARCH_X86_SECTIONS_H

extern char kernel_start[], kernel_end[];
extern char kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[];
extern char kernel_data_start[];
extern char kernel_bss_start[], kernel_bss_end[];
extern char kernel_stack_bottom[], kernel_stack_top[]; /* the boot stack */
extern char kernel_stack_guard[]; /* one page below the boot stack (stacks.h) */

#endif
