/* clock_host.c - the kernel's clock on counters that are played here.
 *
 *     clock_host wrap BITS TSC_ERROR   a counter of so many bits, 1 MHz, read at odd moments; the
 *                                      time-stamp counter is off by TSC_ERROR per mille
 *     clock_host hpet SPACE ADDRESS PERIOD WIDE COUNTS SIZE
 *                                      an HPET as its table and its registers tell of it */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/control.h"
#include "arch/x86/time.h"
#define interrupts_save() ((uintptr_t)0) /* CLI is not for a process */
#define interrupts_restore(flags) ((void)(flags))
static uint64_t played_cycles(void);
#define time_cycles played_cycles

#include "arch/x86/clock.c"
#include "arch/x86/hpet.c"
#include "dev/hpet_table.c"

#define NS_PER_COUNT 1000u
#define TSC_HZ 2000000000ull

static uint64_t now_ns; /* the true time */
static uint64_t mask;
static uint64_t tsc_per_mille; /* of the frequency that the clock believes in */
static uint32_t hpet[REGISTERS_SIZE / 4];
static struct acpi_table table;
static bool counts_at_all;

static uint64_t played_cycles(void) {
    return now_ns * (TSC_HZ / 1000000) / 1000 * tsc_per_mille / 1000;
}

uint64_t time_hz(void) {
    return TSC_HZ;
}

uint64_t time_ms(void) {
    return 7;
}

void time_delay_us(uint32_t us) {
    if (counts_at_all)
        hpet[COUNTER_LOW] += us;
}

void report_warn(const struct fluid_error *err) {
    printf("%s %s\n", err->code, err->text);
}

int acpi_table(const char signature[4], struct acpi_table *found) {
    *found = table;
    return memcmp(signature, "HPET", 4) == 0 && table.bytes ? 0 : -1;
}

void *paging_map_device(uint64_t physical, size_t size) {
    return size <= sizeof hpet && physical < 1ull << 40 ? hpet : NULL;
}

static uint64_t played_counter(void) {
    return now_ns / NS_PER_COUNT & mask;
}

void pit_open(struct clock_counter *counter) {
    *counter = (struct clock_counter){"PIT", 1000000, mask, played_counter};
}

/* Prints by how many counts the clock is ever wrong, and whether it ran backwards. */
static void wrap(unsigned bits) {
    uint32_t random = 1;
    uint64_t worst = 0, before = 0, begin = now_ns;
    bool backwards = false;
    mask = (1ull << bits) - 1;
    clock_init();
    for (unsigned i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        now_ns += i % 7 == 0 ? (random >> 8) * 100ull : random >> 20; /* up to 1.7 s, or 4 us */
        uint64_t ns = clock_ns(), truth = now_ns - begin + 7000000;
        uint64_t wrong = (ns > truth ? ns - truth : truth - ns) / NS_PER_COUNT;
        worst = wrong > worst ? wrong : worst;
        backwards |= ns < before;
        before = ns;
    }
    printf("%s worst %" PRIu64 " backwards %d seconds %" PRIu64 "\n", clock_counter()->name, worst,
           backwards, (now_ns - begin) / 1000000000);
}

static void open_hpet(char **argument) {
    static struct hpet_table t;
    struct clock_counter counter;
    t.space = (uint8_t)atoi(argument[0]);
    t.address = strtoull(argument[1], NULL, 16);
    hpet[PERIOD] = (uint32_t)strtoul(argument[2], NULL, 10);
    hpet[CAPABILITIES] = atoi(argument[3]) ? CAPABILITY_64_BIT : 0;
    hpet[CONFIGURATION] = CONFIGURATION_LEGACY;
    counts_at_all = atoi(argument[4]);
    table = (struct acpi_table){malloc(sizeof t), (size_t)atoi(argument[5])};
    memcpy((void *)(uintptr_t)table.bytes, &t, sizeof t);
    if (hpet_open(&counter))
        printf("%s %" PRIu64 " Hz mask %" PRIx64 " configuration %x\n", counter.name, counter.hz,
               counter.mask, hpet[CONFIGURATION]);
    free((void *)(uintptr_t)table.bytes);
}

int main(int argc, char **argv) {
    now_ns = 1000000007;
    tsc_per_mille = 1000;
    if (argc == 4 && strcmp(argv[1], "wrap") == 0) {
        tsc_per_mille = (uint64_t)(1000 + atoi(argv[3]));
        wrap((unsigned)atoi(argv[2]));
    } else if (argc == 8 && strcmp(argv[1], "hpet") == 0) {
        open_hpet(argv + 2);
    } else {
        return 2;
    }
    return 0;
}
