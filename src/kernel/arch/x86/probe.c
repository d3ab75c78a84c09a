/* probe.c - each probe is one instruction with a label, and a label to go on at. */
#include "arch/x86/probe.h"

#include <stddef.h>

#include "arch/x86/trap.h"

#define GENERAL_PROTECTION 13u

/* `failed` is 0 when the instruction was done. */
#define PROBE(name, instruction)                                                                   \
    "xor %[failed], %[failed]\n" #name "_at: " instruction "\n\tjmp 1f\n" #name                    \
    "_resume: mov $1, %[failed]\n1:"

extern const char probe_wrmsr_at[], probe_wrmsr_resume[], probe_rdpmc_at[], probe_rdpmc_resume[];

__attribute__((noinline)) bool probe_write_msr(uint32_t msr, uint64_t value) {
    uint32_t failed;
    __asm__ volatile(PROBE(probe_wrmsr, "wrmsr")
                     : [failed] "=&r"(failed)
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "cc");
    return failed == 0;
}

__attribute__((noinline)) bool probe_read_pmc(uint32_t number, uint64_t *value) {
    uint32_t failed, low = 0, high = 0;
    __asm__ volatile(PROBE(probe_rdpmc, "rdpmc")
                     : [failed] "=&r"(failed), "+a"(low), "+d"(high)
                     : "c"(number)
                     : "cc");
    *value = (uint64_t)high << 32 | low;
    return failed == 0;
}

bool probe_failed(struct trap_frame *f) {
    static const struct {
        const char *at, *resume;
    } probes[] = {{probe_wrmsr_at, probe_wrmsr_resume}, {probe_rdpmc_at, probe_rdpmc_resume}};

    if (f->vector != GENERAL_PROTECTION)
        return false;
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
        if (FRAME_IP(f) == (uintptr_t)probes[i].at) {
            FRAME_IP(f) = (uintptr_t)probes[i].resume;
            return true;
        }
    return false;
}
