/* time.c - the time-stamp counter, calibrated against channel 2 of the PIT (Intel 8254).
 *
 * Counter and TSC are read as pairs, the TSC before and after each latched counter value. What
 * counts is how tight the two pairs are, not how long the loop between them took, so being
 * descheduled by a host costs nothing; a counter that ran out meanwhile is noticed by its output
 * pin. */
#include "arch/x86/time.h"

#include <stdbool.h>

#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/port.h"
#include "console/event.h"
#include "lib/printf.h"

#define PIT_HZ 1193182u
#define PIT_CHANNEL2 0x42
#define PIT_MODE 0x43
/* Channel 2, low then high byte, mode 0 (count down once), binary. */
#define PIT_LOAD_CHANNEL2 0xb0
#define PIT_LATCH_CHANNEL2 0x80
/* Bit 0: gate of channel 2, bit 1: speaker, bit 5: output of channel 2. */
#define PORT_B 0x61
#define PIT_START 0xffff
#define WINDOW_TICKS (PIT_HZ / 400) /* 2.5 ms */
#define TRIES 7
#define GOOD_TRIES 3
#define MAX_READS 200000
#define HZ_MIN 10000000ull
#define HZ_MAX 20000000000ull
#define HZ_FALLBACK 1000000000ull

extern uint64_t kernel_entry_tsc; /* entry32.S */

static uint64_t hz;

struct sample {
    uint64_t tsc;    /* middle of before and after */
    uint64_t spread; /* after - before */
    uint32_t count;
};

static struct sample take_sample(void) {
    struct sample s;
    uint64_t before = time_cycles();
    outb(PIT_MODE, PIT_LATCH_CHANNEL2);
    uint64_t after = time_cycles();
    s.count = inb(PIT_CHANNEL2);
    s.count |= (uint32_t)inb(PIT_CHANNEL2) << 8;
    s.spread = after - before;
    s.tsc = before + s.spread / 2;
    return s;
}

/* One measurement. *error: uncertainty in cycles per 2^16 cycles of the window. */
static bool measure(uint64_t *result, uint64_t *error) {
    outb(PORT_B, (inb(PORT_B) & ~2) | 1);
    outb(PIT_MODE, PIT_LOAD_CHANNEL2);
    outb(PIT_CHANNEL2, PIT_START & 255);
    outb(PIT_CHANNEL2, PIT_START >> 8);
    struct sample first = take_sample(), last = first;
    /* The count is loaded with the next pulse of the PIT's clock: let it start. */
    for (int i = 0; i < MAX_READS && (first.count == PIT_START || first.count == 0); i++)
        first = take_sample();
    for (int i = 0; i < MAX_READS; i++) {
        last = take_sample();
        if (first.count - last.count >= WINDOW_TICKS)
            break;
    }
    bool ran_out = (inb(PORT_B) & 0x20) != 0;
    if (ran_out || last.count >= first.count || first.count - last.count < WINDOW_TICKS)
        return false;
    uint64_t cycles = last.tsc - first.tsc;
    *result = cycles * PIT_HZ / (first.count - last.count);
    *error = cycles > 0 ? ((first.spread + last.spread) << 16) / cycles : UINT64_MAX;
    return *result >= HZ_MIN && *result <= HZ_MAX;
}

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
        if (!measure(&result, &error))
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
        hz = stated >= HZ_MIN && stated <= HZ_MAX ? stated : HZ_FALLBACK;
        ksnprintf(
            e.text, sizeof(e.text),
            "TSC calibration: expected the PIT to count, it did not in %d tries; %llu Hz assumed, "
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
    uint64_t cycles = (hz == 0 ? HZ_MAX : hz) / 1000 * us / 1000;
    uint64_t start = time_cycles();
    while (time_cycles() - start < cycles)
        cpu_pause();
}
