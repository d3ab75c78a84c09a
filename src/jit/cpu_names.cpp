/* cpu_names.cpp - from names of CPU features to bits and to LLVM's names. */
#include "cpu_names.h"

#include "fluid/cpu.h"
#include "response.h"

namespace jit {

struct Named {
    const char *name;
    uint64_t bit;
};

#define NAMED(id, text, bit, leaf, sub, reg, pos, xcr0) {text, 1ull << (bit)},
static const Named KNOWN[] = {FLUID_CPU_FEATURES(NAMED)};

static uint64_t bit_of(const std::string &name) {
    for (const Named &known : KNOWN)
        if (name == known.name)
            return known.bit;
    refuse(JIT_BAD_FEATURE, "a CPU feature of cpu.h expected, found '" + name + "'; leave it out");
}

uint64_t feature_bits(const std::vector<std::string> &names) {
    uint64_t bits = 0;
    for (const std::string &name : names)
        bits |= bit_of(name);
    return bits;
}

std::string llvm_features(const std::vector<std::string> &names) {
    std::string text;
    for (const std::string &name : names) {
        text += (text.empty() ? "+" : ",+") + name;
        if (name == "sse4.2")
            text += ",+crc32"; // as -msse4.2 does: LLVM has its CRC32 under a name of its own
        if (name == "avx512f")
            text += ",+evex512"; // vectors of 64 bytes, which AVX10 may lack
    }
    return text;
}

} // namespace jit
