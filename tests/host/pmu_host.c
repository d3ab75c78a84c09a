/* pmu_host.c - the kernel's use of performance counters, on a processor that is played here.
 *
 *     pmu_host VERSION GENERAL WIDTH EVENTS ABSENT FIXED STILL REFUSED
 *
 * CPUID leaf 0xA tells of so many general counters of WIDTH bits, EVENTS architectural events but
 * those with a bit in ABSENT, and FIXED fixed counters. STILL: those that stand still, a bit for
 * each, bit 8 for the fixed one; REFUSED: an MSR or number of RDPMC that is refused. Prints the
 * events that are counted, with what two tasks were charged in 100,000 turns, what all were and
 * what happened. An MSR or a counter that this processor lacks ends the program with status 3.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/x86/control.h"
#include "arch/x86/pmu.h"

static uint64_t play_read(uint32_t number);
static struct cpuid play_cpuid(uint32_t leaf, uint32_t subleaf);
#define interrupts_save() ((uintptr_t)0) /* CLI is not for a process */
#define interrupts_restore(flags) ((void)(flags))
#define read_pmc play_read
#define cpuid(leaf, subleaf) play_cpuid(leaf, subleaf)
#include "arch/x86/pmu.c"

#define PLAYED_MAX 8u
#define TURNS 100000u

static unsigned version, general, width, architectural, absent, fixed;
static bool starting = true;
static uint32_t still, refused;
static uint64_t happened[PMU_EVENTS];
static uint64_t selects[PLAYED_MAX], fixed_control, global_control;
static uint64_t zero_at[PLAYED_MAX + 1]; /* what had happened when the counter was set to 0 */

static void expect(bool good, const char *what, uint32_t number) {
    if (good)
        return;
    fprintf(stderr, "%s %x\n", what, number);
    exit(3);
}

static struct cpuid play_cpuid(uint32_t leaf, uint32_t subleaf) {
    expect(leaf == 0xa && subleaf == 0, "leaf", leaf);
    return (struct cpuid){version | general << 8 | width << 16 | architectural << 24, absent, 0,
                          fixed | width << 5};
}

/* The event that a general counter is set to. */
static int selected(unsigned n) {
    static const uint32_t known[] = {[PMU_INSTRUCTIONS] = 0xc0,
                                     [PMU_BRANCH_MISSES] = 0xc5,
                                     [PMU_CACHE_MISSES] = 0x412e,
                                     [PMU_BRANCHES] = 0xc4,
                                     [PMU_CACHE_REFERENCES] = 0x4f2e};
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if ((selects[n] & 0xffff) == known[i])
            return (int)i;
    return -1;
}

bool probe_write_msr(uint32_t msr, uint64_t value) {
    if (msr == refused)
        return false;
    if (msr >= 0xc1 && msr < 0xc1 + general) {
        expect(value == 0, "counter", msr);
    } else if (msr >= 0x186 && msr < 0x186 + general) {
        selects[msr - 0x186] = value;
        int event = selected(msr - 0x186);
        zero_at[msr - 0x186] = event >= 0 ? happened[event] : 0;
    } else if (msr == 0x309 && fixed > 0) {
        zero_at[PLAYED_MAX] = happened[PMU_INSTRUCTIONS];
    } else if (msr == 0x38d && fixed > 0) {
        fixed_control = value;
    } else {
        expect(msr == 0x38f && version >= 2, "MSR", msr);
        global_control = value;
    }
    return true;
}

bool probe_read_pmc(uint32_t number, uint64_t *value) {
    if (number == refused)
        return false;
    *value = play_read(number);
    return true;
}

/* While pmu_init tries the counters, time passes between two reads. */
static uint64_t play_read(uint32_t number) {
    bool is_fixed = number >> 30 & 1;
    unsigned n = number & 0x3fffffff;
    int event = is_fixed ? PMU_INSTRUCTIONS : n < general ? selected(n) : -1;
    expect((is_fixed ? n < fixed : n < general) && event >= 0, "RDPMC", number);
    for (unsigned i = 0; starting && i < PMU_EVENTS; i++)
        happened[i] += 5000;
    bool on = is_fixed ? fixed_control & 3 && global_control >> 32 & 1
                       : selects[n] >> 22 & 1 && selects[n] >> 16 & 3 &&
                             (version < 2 || global_control >> n & 1);
    if (!on || still >> (is_fixed ? PLAYED_MAX : n) & 1)
        return 0;
    return (happened[event] - zero_at[is_fixed ? PLAYED_MAX : n]) & ((1ull << width) - 1);
}

static void run_turns(struct pmu_counts charge[3]) {
    uint32_t random = 1;
    for (unsigned i = 0; i < TURNS; i++) {
        random = random * 1664525 + 1013904223;
        for (unsigned e = 0; e < PMU_EVENTS; e++) /* up to half way around in a turn */
            happened[e] += (uint64_t)(random >> e) << (random % 3 == 0 ? width - 33 : 0) >> 1;
        pmu_tick();
        if (random >> 28 < 3)
            pmu_charge(random >> 28 < 2 ? &charge[random >> 28] : NULL);
    }
    pmu_charge(NULL);
}

int main(int argc, char **argv) {
    static struct pmu_counts charge[3], total;
    static uint64_t before[PMU_EVENTS];
    if (argc != 9)
        return 2;
    unsigned *const parts[] = {&version, &general, &width, &architectural, &absent, &fixed};
    for (unsigned i = 0; i < 6; i++)
        *parts[i] = (unsigned)strtoul(argv[1 + i], NULL, 0);
    still = (uint32_t)strtoul(argv[7], NULL, 0);
    refused = (uint32_t)strtoul(argv[8], NULL, 0);
    pmu_init();
    starting = false;
    for (unsigned e = 0; e < PMU_EVENTS; e++)
        before[e] = happened[e];
    pmu_charge(NULL); /* what passed since the last read is nobody's */
    struct pmu_counts first = pmu_charged();
    run_turns(charge);
    total = pmu_charged();
    for (unsigned e = 0; e < PMU_EVENTS; e++)
        if (pmu_has((enum pmu_event)e))
            printf("%u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", e, charge[0].of[e],
                   charge[1].of[e], total.of[e] - first.of[e], happened[e] - before[e]);
    return 0;
}
