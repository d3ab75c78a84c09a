/* cpu_state.c (hosted) - Linux has set the control registers; what it enabled is what XCR0 says,
 * and what a process can see of the rest is MXCSR. */
#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "console/event.h"
#include "fluid/exit.h"
#include "lib/printf.h"

#define ECX_OSXSAVE (1u << 27)
#define MXCSR_FLAGS 0x3fu /* set by computing */

static bool sse;
static uint64_t xcr0;

static void check_register(const char *name, uint64_t expected, uint64_t found) {
    struct fluid_error e = {.code = "E-CPU-03"};
    if (expected == found)
        return;
    ksnprintf(e.text, sizeof(e.text),
              "%s: 0x%llx expected, found 0x%llx; start fluid-host from a program that leaves the "
              "processor's state alone",
              name, (unsigned long long)expected, (unsigned long long)found);
    report_error(&e);
    cpu_power_off(FLUID_EXIT_FAIL);
}

void cpu_init(void) {
    struct cpu_needs needs;
    cpu_identify(&needs);
    sse = needs.sse;
    xcr0 = cpuid(1, 0).ecx & ECX_OSXSAVE ? read_xcr0() : 0;
    cpu_check_state(false);
    cpu_compute_features(needs.fxsr, xcr0);
}

void cpu_check_state(bool paging) {
    (void)paging; /* always on in a process */
    if (xcr0 != 0)
        check_register("XCR0", xcr0, read_xcr0());
    if (sse) {
        uint32_t mxcsr;
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        check_register("MXCSR", MXCSR_DEFAULT, mxcsr & ~MXCSR_FLAGS);
    }
}
