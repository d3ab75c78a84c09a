/* pit.c - channel 2 of the PIT (Intel 8254): the time-stamp counter is calibrated against it, and
 * where there is no HPET it keeps the time.
 *
 * Counter and TSC are read as pairs, the TSC before and after each latched counter value. What
 * counts is how tight the two pairs are, not how long the loop between them took, so being
 * descheduled by a host costs nothing; a counter that ran out meanwhile is noticed by its output
 * pin. */
#include "arch/x86/clock.h"
#include "arch/x86/pit.h"
#include "arch/x86/port.h"
#include "arch/x86/time.h"

#define PIT_START 0xffff
#define WINDOW_TICKS (PIT_HZ / 400) /* 2.5 ms */
#define MAX_READS 200000

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

bool time_measure(uint64_t *result, uint64_t *error) {
    outb(PIT_PORT_B, (inb(PIT_PORT_B) & ~2) | 1);
    outb(PIT_MODE, PIT_LOAD_CHANNEL2_MODE0);
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
    bool ran_out = (inb(PIT_PORT_B) & 0x20) != 0;
    if (ran_out || last.count >= first.count || first.count - last.count < WINDOW_TICKS)
        return false;
    uint64_t cycles = last.tsc - first.tsc;
    *result = cycles * PIT_HZ / (first.count - last.count);
    *error = cycles > 0 ? ((first.spread + last.spread) << 16) / cycles : UINT64_MAX;
    return *result >= TIME_HZ_MIN && *result <= TIME_HZ_MAX;
}

/* From 2^16 down again and again. */
static uint64_t read_channel2(void) {
    outb(PIT_MODE, PIT_LATCH_CHANNEL2);
    uint32_t count = inb(PIT_CHANNEL2);
    count |= (uint32_t)inb(PIT_CHANNEL2) << 8;
    return 0 - (uint64_t)count;
}

void pit_open(struct clock_counter *counter) {
    outb(PIT_PORT_B, (inb(PIT_PORT_B) & ~2) | 1);
    outb(PIT_MODE, PIT_LOAD_CHANNEL2_MODE2);
    outb(PIT_CHANNEL2, 0); /* 0 stands for 2^16 */
    outb(PIT_CHANNEL2, 0);
    *counter = (struct clock_counter){"PIT", PIT_HZ, 0xffff, read_channel2};
}
