/* time.c - the time-stamp counter, calibrated against a clock of known frequency (time_measure). Of
 * several measurements the least uncertain one counts. */
#include "arch/x86/time.h"

#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/port.h"
#include "console/event.h"
#include "lib/printf.h"

#define TRIES 7
#define GOOD_TRIES 3
#define HZ_FALLBACK 1000000000ull

extern uint64_t kernel_entry_tsc; /* entry32.S */

static uint64_t hz;

/* The frequency as the processor states it (CPUID leaves 0x15 and 0x16), 0 when it does not. */
static uint64_t stated_hz(void) {
    struct cpuid ratio = cpuid(0x15, 0), base = cpuid(0x16, 0);
    if (ratio.eax != 0 && ratio.ebx != 0 && ratio.ecx != 0)
        return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
    return (base.eax & 0xffff) * 1000000ull;
}

void time_init(void) {
    uint64_t best_error = UINT64_MAX;
    hz = 0;
    for (int i = 0, good = 0; i < TRIES && good < GOOD_TRIES; i++) {
        uint64_t result, error;
        if (!time_measure(&result, &error))
            continue;
        good++;
        if (error < best_error) {
            best_error = error;
            hz = result;
        }
    }
    if (hz == 0) {
        struct fluid_error e = {.code = "E-TIME-01"};
        uint64_t stated = stated_hz();
        hz = stated >= TIME_HZ_MIN && stated <= TIME_HZ_MAX ? stated : HZ_FALLBACK;
        ksnprintf(e.text, sizeof(e.text),
                  "TSC calibration: expected the reference clock to count, it did not in %d tries; "
                  "%llu Hz assumed, "
                  "times may be wrong",
                  TRIES, (unsigned long long)hz);
        report_warn(&e);
    }
    cpu_set_tsc_hz(hz);
}

uint64_t time_hz(void) {
    return hz;
}

uint64_t time_ms(void) {
    return hz == 0 ? 0 : (time_cycles() - kernel_entry_tsc) / (hz / 1000);
}

void time_delay_us(uint32_t us) {
    /* Before calibration the highest frequency is assumed: too long rather than too short. */
    uint64_t cycles = (hz == 0 ? TIME_HZ_MAX : hz) / 1000 * us / 1000;
    uint64_t start = time_cycles();
    while (time_cycles() - start < cycles)
        cpu_pause();
}
