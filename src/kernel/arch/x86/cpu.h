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
    uint64_t xcr0;     /* as far as it is used (XCR0_USED); 0 without XSAVE */
    bool nx, pae, long_mode;
    bool gib_pages; /* page tables may map 1 GiB at once; only in long mode */
    uint32_t physical_bits;
    uint64_t tsc_hz; /* 0 before time_init */
};

/* Reads CPUID, sets CR0, CR4, EFER and XCR0 for what the CPU has and reads them back. A bit that
 * did not take ends the machine with E-CPU-03 and FLUID_EXIT_FAIL. (What the kernel cannot start
 * without, CPUID, TSC, PAE and long mode, entry.S has checked: E-CPU-01 and 02.) */
void cpu_init(void);
void cpu_init_core(void); /* another core: the same as on the first one, for the same reasons */
/* Reads the control registers back once more; paging: CR0.PG, CR4.PAE and, in long mode, EFER.LMA
 * too. */
void cpu_check_state(bool paging);
const struct cpu_info *cpu_info(void);
/* What is read in order comes as fast as memory can without instructions that fetch it ahead, and
 * not faster, sometimes slower, with them: AMD's processors with AVX-512 (docs/engine.md). */
bool cpu_fetches_streams(void);
/* Space-separated names of features ("sse2 ssse3 ..."), as in the boot event; a bit without a name
 * is "bit63". Returns length. */
size_t cpu_feature_names(uint64_t features, char *to, size_t size);
/* Tag of the CPU profile that the build was made for: "x86-64-v2". */
const char *cpu_target(void);
/* Features of that profile that this CPU lacks (enum fluid_cpu_feature). */
uint32_t cpu_target_features_missing(void);
void cpu_set_tsc_hz(uint64_t hz); /* time.c, once calibrated */
/* Reset through the firmware's register, the keyboard controller, a triple fault; never returns. */
_Noreturn void cpu_reset(void);
/* Ends the emulator through isa-debug-exit (port 0xF4) with code; without that device
 * FLUID_EXIT_PASS tries ACPI and the power-off ports of known virtual machines; else halts. */
_Noreturn void cpu_power_off(uint8_t code);
_Noreturn void cpu_halt(void);

/* Between cpu.c (what CPUID says) and cpu_state.c (what is switched on). */
struct cpu_needs {
    bool fxsr, sse, xsave;
};
void cpu_identify(struct cpu_needs *needs);
void cpu_compute_features(bool fxsr, uint64_t xcr0);
#endif
