/* test_machine.c - control registers and time. */
#include <stdint.h>

#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/time.h"
#include "fluid/cpu.h"
#include "lib/printf.h"
#include "selftest/selftest.h"

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

static bool test_time(char *why, size_t size) {
    uint64_t cycles = time_cycles(), ms = time_ms();
    EXPECT(time_hz() >= 10000000);
    for (int i = 0; i < 1000; i++) {
        uint64_t next = time_cycles();
        EXPECT(next >= cycles);
        cycles = next;
    }
    time_delay_us(3000);
    EXPECT(time_ms() - ms >= 2);
    EXPECT(time_cycles() - cycles >= time_hz() / 1000 * 2);
    return true;
}

const struct selftest selftests_machine[] = {
    {"cpu-state", test_cpu_state},
    {"time", test_time},
    {NULL, NULL},
};
