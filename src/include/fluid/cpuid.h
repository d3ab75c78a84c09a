/* cpuid.h - the CPUID instruction, and what it says of the features of cpu.h: for stage2, which
 * refuses to start a kernel on less than it was compiled for, and for the kernel itself. (Intel SDM
 * vol. 2A, CPUID.) */
#ifndef FLUID_CPUID_H
#define FLUID_CPUID_H

#include <stdint.h>
#include "fluid/cpu.h"

#define CPUID_EXTENDED 0x80000000u
#define CPUID_EXTENDED_FEATURES 0x80000001u
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_EXTENDED_EDX_LM (1u << 29)

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid raw_cpuid(uint32_t leaf, uint32_t subleaf) {
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/* All zero when the leaf is above the highest one: Intel would return another leaf's data. */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    struct cpuid highest = raw_cpuid(leaf & CPUID_EXTENDED, 0);
    if ((highest.eax ^ leaf) & CPUID_EXTENDED || leaf > highest.eax)
        return (struct cpuid){0};
    return raw_cpuid(leaf, subleaf);
}

/* The state components that XCR0 can be given: none without XSAVE. */
static inline uint64_t cpuid_xcr0(void) {
    if (!(cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE))
        return 0;
    struct cpuid state = cpuid(0xd, 0);
    return (uint64_t)state.edx << 32 | state.eax;
}

/* Features (enum fluid_cpu_feature) that CPUID reports and whose state components are all in xcr0:
 * a processor with the bit of AVX and no way to switch it on has none. */
static inline uint32_t cpuid_features(uint64_t xcr0) {
    enum { EAX, EBX, ECX, EDX };
#define FLUID_CPU_ROW(name, text, bit, leaf, sub, reg, position, state)                            \
    {FLUID_CPU_##name, leaf, sub, reg, position, state},
    static const struct {
        uint32_t feature, leaf, subleaf;
        uint8_t reg, position;
        uint32_t state;
    } rows[] = {FLUID_CPU_FEATURES(FLUID_CPU_ROW)};
#undef FLUID_CPU_ROW
    uint32_t found = 0;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cpuid r = cpuid(rows[i].leaf, rows[i].subleaf);
        uint32_t registers[4] = {r.eax, r.ebx, r.ecx, r.edx};
        if (registers[rows[i].reg] >> rows[i].position & 1 && !(rows[i].state & ~xcr0))
            found |= rows[i].feature;
    }
    return found;
}

#endif
