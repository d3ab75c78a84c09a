/* test_machine.c (hosted) - the self-tests of what Linux has set up for this process, and the
 * exception that only a process can raise. */
#include <stdint.h>
#include <x86intrin.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/sections.h"
#include "fluid/cpu.h"
#include "lib/printf.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "selftest/selftest.h"

static bool test_cpu_state(char *why, size_t size) {
    uint32_t features = cpu_info()->features;
    cpu_check_state(true);
    EXPECT(!(features & FLUID_CPU_AVX) || (read_xcr0() & 6) == 6);
    EXPECT(!(features & FLUID_CPU_AVX512F) || (read_xcr0() & 0xe6) == 0xe6);
    return true;
}

static bool test_paging(char *why, size_t size) {
    paging_check();
    EXPECT(paging_query(NULL) == PAGE_NONE && paging_query((void *)0xfff) == PAGE_NONE);
    EXPECT(paging_query(kernel_stack_guard) == PAGE_NONE);
    EXPECT(paging_query(kernel_stack_bottom) == PAGE_W);
    EXPECT(paging_query(kernel_text_start) == PAGE_X);
    EXPECT(paging_query(kernel_rodata_start) == PAGE_R);
    EXPECT(paging_query(kernel_data_start) == PAGE_W);
    EXPECT(paging_query(arena_start()) == PAGE_W);
    EXPECT((uintptr_t)arena_start() % LARGE_PAGE_SIZE == 0);
    return true;
}

const struct selftest selftests_machine[] = {
    {"cpu-state", test_cpu_state},
    {"paging", test_paging},
    {.name = NULL},
};

/* Intel SDM vol. 3A, 6.15: the processor checks alignment at privilege level 3 only, where Linux
 * has set CR0.AM. */
static void alignment_check(void) {
    static uint32_t words[2];
    __writeeflags(__readeflags() | EFLAGS_AC);
    __asm__ volatile("movl (%0), %%eax" : : "r"((char *)words + 1) : "eax", "memory");
}

const struct selftest_fault selftest_privileged[] = {
    {"fault-ac", alignment_check, NULL},
    {.name = NULL},
};

/* Linux runs programs here. */
const struct selftest selftests_programs[] = {{.name = NULL}};
