/* cpu.c - what CPUID says about this processor (Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix
 * E). */
#include "arch/x86/cpu.h"

#include "arch/x86/control.h"
#include "arch/x86/target.h"
#include "fluid/cpuid.h"
#include "lib/printf.h"
#include "lib/string.h"

#define EXT_EDX_NX (1u << 20)
#define EXT_EDX_PAGE_1GIB (1u << 26)
#define EDX_PAE (1u << 6)
#define EDX_FXSR (1u << 24)
#define EDX_SSE (1u << 25)

static struct cpu_info info;

static void read_brand(char brand[49]) {
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid part = cpuid(0x80000002u + i, 0);
        memcpy(brand + 16 * i, &part, 16);
    }
    brand[48] = '\0';
    size_t lead = 0;
    while (brand[lead] == ' ')
        lead++;
    memmove(brand, brand + lead, 49 - lead);
    size_t end = strlen(brand);
    while (end > 0 && brand[end - 1] == ' ')
        brand[--end] = '\0';
    if (end == 0)
        ksnprintf(brand, 49, "%s family %u model %u", info.vendor, info.family, info.model);
}

static void read_signature(uint32_t eax) {
    uint32_t family = eax >> 8 & 15, model = eax >> 4 & 15;
    info.stepping = eax & 15;
    info.family = family == 15 ? family + (eax >> 20 & 255) : family;
    info.model = family == 6 || family == 15 ? model | (eax >> 16 & 15) << 4 : model;
}

void cpu_identify(struct cpu_needs *needs) {
    struct cpuid leaf0 = raw_cpuid(0, 0), leaf1 = cpuid(1, 0),
                 extended = cpuid(CPUID_EXTENDED_FEATURES, 0);
    memcpy(info.vendor, &leaf0.ebx, 4);
    memcpy(info.vendor + 4, &leaf0.edx, 4);
    memcpy(info.vendor + 8, &leaf0.ecx, 4);
    read_signature(leaf1.eax);
    read_brand(info.brand);
    info.pae = (leaf1.edx & EDX_PAE) != 0;
    info.gib_pages = (extended.edx & EXT_EDX_PAGE_1GIB) != 0;
    info.nx = (extended.edx & EXT_EDX_NX) != 0;
    info.long_mode = (extended.edx & CPUID_EXTENDED_EDX_LM) != 0;
    uint32_t sizes = cpuid(0x80000008u, 0).eax & 255;
    info.physical_bits = sizes != 0 ? sizes : info.pae ? 36 : 32;
    needs->fxsr = (leaf1.edx & EDX_FXSR) != 0;
    needs->sse = (leaf1.edx & EDX_SSE) != 0;
    needs->xsave = (leaf1.ecx & CPUID_1_ECX_XSAVE) != 0;
}

/* A feature counts when CPUID has its bit, the state components it works on are all enabled in
 * XCR0, and, for everything vectorial, CR4.OSFXSR is on. What an operating system beneath has
 * enabled besides is not told: code that was compiled in fluid-host is the machine's, too. */
void cpu_compute_features(bool fxsr, uint64_t xcr0) {
    uint32_t usable = cpuid_features(xcr0);
    info.xcr0 = xcr0 & XCR0_USED;
    if (!fxsr)
        usable &= FLUID_CPU_POPCNT | FLUID_CPU_CX16 | FLUID_CPU_SAHF | FLUID_CPU_MOVBE |
                  FLUID_CPU_BMI | FLUID_CPU_BMI2 | FLUID_CPU_LZCNT;
    info.features = usable;
}

bool cpu_fetches_streams(void) {
    return strcmp(info.vendor, "AuthenticAMD") == 0 && (info.features & FLUID_CPU_AVX512F) != 0;
}

const struct cpu_info *cpu_info(void) {
    return &info;
}

void cpu_set_tsc_hz(uint64_t hz) {
    info.tsc_hz = hz;
}

const char *cpu_target(void) {
    return target_tag;
}

uint32_t cpu_target_features_missing(void) {
    return target_features & ~info.features;
}

size_t cpu_feature_names(uint64_t features, char *to, size_t size) {
#define FEATURE_NAME(name, text, bit, leaf, sub, reg, position, state) [bit] = (text),
    static const char *const known[64] = {FLUID_CPU_FEATURES(FEATURE_NAME)};
#undef FEATURE_NAME
    size_t used = 0;
    if (size > 0)
        to[0] = '\0';
    for (unsigned bit = 0; bit < 64; bit++) {
        char number[8];
        ksnprintf(number, sizeof number, "bit%02u", bit);
        if (features >> bit & 1)
            used +=
                (size_t)ksnprintf(used < size ? to + used : NULL, used < size ? size - used : 0,
                                  "%s%s", used > 0 ? " " : "", known[bit] ? known[bit] : number);
    }
    return used;
}
