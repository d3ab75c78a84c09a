/* test_machine.c - control registers and page tables. */
#include <stdint.h>

#include "arch/x86/clock.h"
#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/lapic.h"
#include "arch/x86/pic.h"
#include "arch/x86/sections.h"
#include "arch/x86/stacks.h"
#include "arch/x86/timer.h"
#include "arch/x86/trap.h"
#include "fluid/cpu.h"
#include "lib/printf.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "selftest/selftest.h"

#define TICK_NS (CLOCK_NS_PER_S / TIMER_HZ)

static bool test_cpu_state(char *why, size_t size) {
    const struct cpu_info *info = cpu_info();
    uint32_t features = info->features;
    cpu_check_state(true);
    EXPECT(read_cr0() & CR0_PG && read_cr0() & CR0_WP && !(read_cr0() & (CR0_EM | CR0_TS)));
    EXPECT(read_cr4() & CR4_PAE);
    EXPECT(!info->nx || read_msr(MSR_EFER) & EFER_NXE);
#ifdef __x86_64__
    EXPECT(read_msr(MSR_EFER) & EFER_LMA);
#endif
    EXPECT(!(features & FLUID_CPU_SSE) || read_cr4() & CR4_OSFXSR);
    EXPECT(!(features & FLUID_CPU_AVX) || (read_xcr0() & 6) == 6);
    EXPECT(!(features & FLUID_CPU_AVX512F) || (read_xcr0() & 0xe6) == 0xe6);
    EXPECT(read_flags() & EFLAGS_IF);
    return true;
}

static bool test_paging(char *why, size_t size) {
    paging_check();
    EXPECT(paging_query(NULL) == PAGE_NONE && paging_query((void *)0xfff) == PAGE_NONE);
    for (const struct stack_guard *guard = stack_guards; guard->page != NULL; guard++) {
        EXPECT(paging_query(guard->page) == PAGE_NONE);
        EXPECT(paging_query((const char *)guard->page + PAGE_SIZE) == PAGE_W);
    }
    EXPECT(paging_query(kernel_text_start) == PAGE_X);
    EXPECT(paging_query(kernel_rodata_start) == PAGE_R);
    EXPECT(paging_query(kernel_data_start) == PAGE_W);
    EXPECT(paging_query((void *)0xb8000) == (PAGE_W | PAGE_UNCACHED));
    EXPECT(paging_map_device((uintptr_t)kernel_start, PAGE_SIZE) == NULL); /* RAM is no device */
    return true;
}

/* Requests that are withdrawn, as an interrupt controller shows them: it sends the vector, but its
 * in-service register knows of none. */
static bool test_spurious(char *why, size_t size) {
    uint64_t apic = lapic_spurious_count(), master = irq_counts(7).spurious,
             slave = irq_counts(15).spurious;
    __asm__ volatile("int %0" : : "i"(TRAP_LAPIC_SPURIOUS) : "memory");
    EXPECT(lapic_spurious_count() == apic + 1);
    if (irq_controller() != &pic)
        return true;
    __asm__ volatile("int %0\n\tint %1" : : "i"(IRQ_VECTOR_BASE + 7), "i"(IRQ_VECTOR_BASE + 15));
    EXPECT(irq_counts(7).spurious == master + 1 && irq_counts(15).spurious == slave + 1);
    return true;
}

/* The processor sleeps, the tick wakes it. */
static bool test_timer(char *why, size_t size) {
    uint64_t ticks = timer_ticks(), ns = clock_ns(), slept;
    timer_sleep_until(ns + 5 * TICK_NS);
    slept = clock_ns() - ns;
    EXPECT(slept >= 5 * TICK_NS);
    EXPECT(timer_ticks() - ticks >= 2); /* a host may swallow some */
    EXPECT(timer_ticks() - ticks <= slept / TICK_NS + 2);
    return true;
}

const struct selftest selftests_machine[] = {
    {"cpu-state", test_cpu_state},
    {"paging", test_paging},
    {"spurious", test_spurious},
    {"timer", test_timer},
    {NULL, NULL},
};
