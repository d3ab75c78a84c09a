/* stacks.h - the stacks of the kernel image. Each has a page below it that paging_init makes
 * absent: what runs out of its stack faults there, and overwrites nothing. */
#ifndef KERNEL_ARCH_X86_STACKS_H
#define KERNEL_ARCH_X86_STACKS_H

#include <stdint.h>

#include "mm/pages.h"

#define EXCEPTION_STACK_SIZE 16384

/* A stack that only exceptions use. */
struct exception_stack {
    uint8_t guard[PAGE_SIZE];
    uint8_t bytes[EXCEPTION_STACK_SIZE];
};
/* Among the other stacks of the image (kernel.ld), whole pages. */
#define EXCEPTION_STACK_SECTION __attribute__((section(".bss.stack"), aligned(PAGE_SIZE)))

/* The guard page of each stack, the kernel's own first; the last entry has none. */
struct stack_guard {
    const char *stack; /* as a report calls it */
    const void *page;
};
extern const struct stack_guard stack_guards[]; /* gdt.c */

#endif
