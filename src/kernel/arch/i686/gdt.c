/* gdt.c (i686) - flat segments, and a second task for the double fault: when the kernel stack has
 * run into its guard page, the page fault cannot be pushed, and only a task switch brings a good
 * stack (Intel SDM vol. 3A, sections 3.4.5, 6.15 and 7.2). */
#include "arch/x86/gdt.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/i686/fault_task.h"
#include "arch/x86/control.h"
#include "arch/x86/sections.h"
#include "arch/x86/stacks.h"
#include "arch/x86/trap.h"

struct tss {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
};
_Static_assert(sizeof(struct tss) == 104, "Intel SDM figure 7-2");

static struct tss main_tss, fault_tss;
static struct exception_stack fault_stack EXCEPTION_STACK_SECTION;

const struct stack_guard stack_guards[] = {
    {"kernel stack", kernel_stack_guard},
    {"stack of double faults", fault_stack.guard},
    {NULL, NULL},
};

static uint64_t gdt[5] = {
    [GDT_CODE / 8] = 0x00cf9a000000ffff, /* 32-bit code, 4 GiB, present, ring 0 */
    [GDT_DATA / 8] = 0x00cf92000000ffff, /* data, writable, 4 GiB */
};

static uint64_t tss_descriptor(const struct tss *tss) {
    uint64_t base = (uintptr_t)tss;
    return (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24) << 56;
}

/* Runs as a task of its own; the switch saved the faulting registers in main_tss. */
static _Noreturn void double_fault(void) {
    const struct tss *t = &main_tss;
    struct trap_frame frame = {
        .edi = t->edi,
        .esi = t->esi,
        .ebp = t->ebp,
        .esp = t->esp,
        .ebx = t->ebx,
        .edx = t->edx,
        .ecx = t->ecx,
        .eax = t->eax,
        .vector = TRAP_DOUBLE_FAULT,
        .eip = t->eip,
        .cs = t->cs,
        .eflags = t->eflags,
    };
    trap_panic(&frame);
}

void fault_task_set_cr3(uint32_t cr3) {
    main_tss.cr3 = cr3;
    fault_tss.cr3 = cr3;
}

void gdt_init(void) {
    main_tss.io_map = fault_tss.io_map = sizeof(struct tss);
    fault_tss.eip = (uintptr_t)double_fault;
    fault_tss.esp = (uintptr_t)&fault_stack + sizeof(fault_stack) - 16;
    fault_tss.eflags = 2; /* the bit that always reads 1 */
    fault_tss.cs = GDT_CODE;
    fault_tss.ss = fault_tss.ds = fault_tss.es = fault_tss.fs = fault_tss.gs = GDT_DATA;
    fault_task_set_cr3(read_cr3());
    gdt[GDT_TSS / 8] = tss_descriptor(&main_tss);
    gdt[GDT_DOUBLE_FAULT_TSS / 8] = tss_descriptor(&fault_tss);

    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } pointer = {sizeof(gdt) - 1, (uintptr_t)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %1, $1f\n"
                     "1:\n\t"
                     "movw %w2, %%ds\n\t"
                     "movw %w2, %%es\n\t"
                     "movw %w2, %%ss\n\t"
                     "movw %w2, %%fs\n\t"
                     "movw %w2, %%gs\n\t"
                     "ltr %w3"
                     :
                     : "m"(pointer), "i"(GDT_CODE), "r"(GDT_DATA), "r"(GDT_TSS)
                     : "memory");
}
