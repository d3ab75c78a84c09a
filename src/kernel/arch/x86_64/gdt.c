/* gdt.c (x86_64) - long mode needs a code and a data descriptor and one TSS, which holds the
 * interrupt stack table (Intel SDM vol. 3A, sections 3.4.5, 6.14.5 and 7.7). */
#include "arch/x86/gdt.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/x86/sections.h"
#include "arch/x86/stacks.h"

struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; /* ist[0] is IST1 */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map; /* beyond the limit: no I/O map */
};
_Static_assert(sizeof(struct tss) == 104, "Intel SDM figure 7-11");

static struct tss tss;
static struct exception_stack stacks[IST_END - 1] EXCEPTION_STACK_SECTION; /* [0] is IST1's */

const struct stack_guard stack_guards[] = {
    {"kernel stack", kernel_stack_guard},
    {"stack of non-maskable interrupts", stacks[IST_NMI - 1].guard},
    {"stack of double faults", stacks[IST_DOUBLE_FAULT - 1].guard},
    {"stack of machine checks", stacks[IST_MACHINE_CHECK - 1].guard},
    {"stack of page faults", stacks[IST_PAGE_FAULT - 1].guard},
    {NULL, NULL},
};

static uint64_t gdt[5] = {
    [GDT_CODE / 8] = 0x00af9a000000ffff, /* 64-bit code, present, ring 0 */
    [GDT_DATA / 8] = 0x00cf92000000ffff, /* data, writable */
};

void gdt_init(void) {
    for (unsigned i = 0; i < IST_END - 1; i++)
        tss.ist[i] = (uintptr_t)&stacks[i] + sizeof(stacks[i]);
    tss.io_map = sizeof(tss);

    uint64_t base = (uintptr_t)&tss;
    gdt[GDT_TSS / 8] =
        (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[GDT_TSS / 8 + 1] = base >> 32;

    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(gdt) - 1, (uintptr_t)gdt};
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
}
