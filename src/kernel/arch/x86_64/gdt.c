/* gdt.c (x86_64) - long mode needs a code and a data descriptor and one TSS, which holds the
 * interrupt stack table (Intel SDM vol. 3A, sections 3.4.5, 6.14.5 and 7.7). Each core has its own:
 * two exceptions at a time must not share a stack. */
#include "arch/x86/gdt.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/x86/control.h"
#include "arch/x86/core.h"
#include "arch/x86/sections.h"
#include "arch/x86/stacks.h"
#include "arch/x86_64/core_serve.h"
#include "arch/x86_64/core_tables.h"

static struct core_tables first_tables;
static struct exception_stack stacks[IST_END - 1] EXCEPTION_STACK_SECTION; /* [0] is IST1's */

const struct stack_guard stack_guards[] = {
    {"kernel stack", kernel_stack_guard},
    {"stack of non-maskable interrupts", stacks[IST_NMI - 1].guard},
    {"stack of double faults", stacks[IST_DOUBLE_FAULT - 1].guard},
    {"stack of machine checks", stacks[IST_MACHINE_CHECK - 1].guard},
    {"stack of page faults", stacks[IST_PAGE_FAULT - 1].guard},
    {NULL, NULL},
};

void core_tables_load(struct core_tables *tables, struct core *core) {
    uint64_t base = (uintptr_t)&tables->tss, *gdt = tables->gdt;
    gdt[GDT_CODE / 8] = 0x00af9a000000ffff; /* 64-bit code, present, ring 0 */
    gdt[GDT_DATA / 8] = 0x00cf92000000ffff; /* data, writable */
    gdt[GDT_TSS / 8] = (sizeof(tables->tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
                       (base >> 24 & 0xff) << 56;
    gdt[GDT_TSS / 8 + 1] = base >> 32;
    gdt[GDT_USER_DATA / 8] = 0x00cff2000000ffff; /* as above, ring 3 */
    gdt[GDT_USER_CODE / 8] = 0x00affa000000ffff;
    tables->tss.io_map = sizeof(tables->tss);

    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(tables->gdt) - 1, (uintptr_t)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movw %w2, %%ds\n\t"
                     "movw %w2, %%es\n\t"
                     "movw %w2, %%ss\n\t"
                     "movw %w3, %%fs\n\t"
                     "movw %w3, %%gs\n\t"
                     "ltr %w4"
                     :
                     : "m"(pointer), "i"(GDT_CODE), "r"(GDT_DATA), "r"(0), "r"(GDT_TSS)
                     : "rax", "memory");
    write_msr(MSR_GS_BASE, (uintptr_t)core); /* loading the selector has made it zero */
}

void core_tables_set_stack(uintptr_t stack) {
    first_tables.tss.rsp[0] = stack;
}

void gdt_init(void) {
    for (unsigned i = 0; i < IST_END - 1; i++)
        first_tables.tss.ist[i] = (uintptr_t)&stacks[i] + sizeof(stacks[i]);
    core_tables_load(&first_tables, core_first());
}
