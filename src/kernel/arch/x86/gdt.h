/* gdt.h - segments and task state: flat code and data, and stacks for the exceptions that must not
 * run on the stack they were raised on. Each target has its own gdt.c. */
#ifndef KERNEL_ARCH_X86_GDT_H
#define KERNEL_ARCH_X86_GDT_H

#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define GDT_TSS 0x18

#ifdef __x86_64__
/* Of ring 3, with RPL 3. */
#define GDT_USER_DATA 0x2b
#define GDT_USER_CODE 0x33
#ifndef __ASSEMBLER__
/* Slots of the interrupt stack table, TSS.IST1 .. IST7; 0 is the interrupted stack. */
enum { IST_NMI = 1, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_PAGE_FAULT, IST_END };
#endif
#else
#define GDT_DOUBLE_FAULT_TSS 0x20 /* entered through a task gate */
#endif

#ifndef __ASSEMBLER__
void gdt_init(void);
#endif
#endif
