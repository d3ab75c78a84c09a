/* hpet.c - the main counter of the High Precision Event Timer (IA-PC HPET specification 1.0a); its
 * comparators are not used. */
#include <stddef.h>

#include "arch/x86/clock.h"
#include "arch/x86/time.h"
#include "console/event.h"
#include "dev/acpi_memory.h"
#include "dev/hpet_table.h"
#include "mm/paging.h"

/* Registers, in 32-bit words. */
#define CAPABILITIES 0 /* bit 13: the counter has 64 bits */
#define PERIOD 1       /* femtoseconds per count */
#define CONFIGURATION 4
#define COUNTER_LOW 60
#define COUNTER_HIGH 61
#define REGISTERS_SIZE 1024u

#define CAPABILITY_64_BIT (1u << 13)
#define CONFIGURATION_ENABLE 1u
#define CONFIGURATION_LEGACY 2u /* takes IRQ 0 and 8 away from PIT and RTC */
#define FS_PER_S 1000000000000000ull
#define PERIOD_MAX 100000000u /* 2.3.4: 100 ns */
#define SETTLE_US 10

static volatile uint32_t *registers;

/* The halves are read one by one: again when the upper one has changed meanwhile. */
static uint64_t read_64(void) {
    uint32_t high, low;
    do {
        high = registers[COUNTER_HIGH];
        low = registers[COUNTER_LOW];
    } while (high != registers[COUNTER_HIGH]);
    return (uint64_t)high << 32 | low;
}

static uint64_t read_32(void) {
    return registers[COUNTER_LOW];
}

static int start(uint64_t address, struct clock_counter *counter, struct fluid_error *err) {
    registers = paging_map_device(address, REGISTERS_SIZE);
    uint32_t period = registers != NULL ? registers[PERIOD] : 0;
    if (period == 0 || period > PERIOD_MAX)
        return fluid_fail(err, "E-TIME-02",
                          "HPET: a period of 1 to %u fs expected at 0x%llx as ACPI says, found %u; "
                          "the PIT keeps the time",
                          PERIOD_MAX, (unsigned long long)address, period);
    registers[CONFIGURATION] =
        (registers[CONFIGURATION] | CONFIGURATION_ENABLE) & ~CONFIGURATION_LEGACY;
    bool wide = registers[CAPABILITIES] & CAPABILITY_64_BIT;
    *counter = (struct clock_counter){
        .name = "HPET",
        .hz = (FS_PER_S + period / 2) / period,
        .mask = wide ? UINT64_MAX : UINT32_MAX,
        .read = wide ? read_64 : read_32,
    };
    uint64_t before = counter->read();
    time_delay_us(SETTLE_US);
    if (counter->read() == before)
        return fluid_fail(err, "E-TIME-02",
                          "HPET: a counter at 0x%llx expected to count, found it standing still; "
                          "the PIT keeps the time",
                          (unsigned long long)address);
    return 0;
}

bool hpet_open(struct clock_counter *counter) {
    struct acpi_table table;
    struct fluid_error err;
    uint64_t address;
    if (acpi_table("HPET", &table) != 0)
        return false;
    if (hpet_table_parse(&address, &table, &err) == 0 && start(address, counter, &err) == 0)
        return true;
    report_warn(&err);
    return false;
}
