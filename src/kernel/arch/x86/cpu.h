/* cpu.h (arch) - what CPUID says, and the control registers set to match. */
#ifndef KERNEL_ARCH_X86_CPU_H
#define KERNEL_ARCH_X86_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu_info {
    char vendor[13];
    char brand[49];
    uint32_t family, model, stepping;
    uint32_t features; /* enum fluid_cpu_feature, usable ones: CPUID and CR4/XCR0 */
    uint64_t xcr0;     /* 0 without XSAVE */
    bool nx, pae, long_mode;
    uint32_t physical_bits;
    uint64_t tsc_hz;   /* 0 before time_init */
};

/* Reads CPUID, sets CR0, CR4, EFER and XCR0 for what the CPU has, reads them back and panics with E-CPU-nn
 * when one did not take. */
void cpu_init(void);
const struct cpu_info *cpu_info(void);
/* Space-separated names of features ("sse2 ssse3 ..."), as in the boot event. Returns length. */
size_t cpu_feature_names(uint32_t features, char *to, size_t size);
/* Reset through the keyboard controller, then a triple fault; never returns. */
_Noreturn void cpu_reset(void);
/* Ends the emulator through isa-debug-exit (port 0xF4) with code, else ACPI/APM power-off ports, else halts. */
_Noreturn void cpu_power_off(uint8_t code);
_Noreturn void cpu_halt(void);
#endif
