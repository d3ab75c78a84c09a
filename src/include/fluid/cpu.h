/* cpu.h - CPU feature bits: one name per CPUID flag that modules may require.
 *
 * A feature is usable when CPUID reports it and the operating system state it needs (CR4, XCR0) was
 * switched on; the kernel computes the usable set once (arch/x86/cpu.c). Modules carry the set that
 * they require. The numbering is ours and part of the kernel ABI; its other owner is
 * site_scons/fluid/cpufeatures.py (FEATURES). CPUID positions: Intel SDM vol. 2A, CPUID. */
#ifndef FLUID_CPU_H
#define FLUID_CPU_H

/*            name       bit  leaf        reg  bit   needs XCR0 */
#define FLUID_CPU_FEATURES(X)                                                                      \
    X(SSE, "sse", 0, 1, 0, EDX, 25, 0)                                                             \
    X(SSE2, "sse2", 1, 1, 0, EDX, 26, 0)                                                           \
    X(SSE3, "sse3", 2, 1, 0, ECX, 0, 0)                                                            \
    X(SSSE3, "ssse3", 3, 1, 0, ECX, 9, 0)                                                          \
    X(SSE41, "sse4.1", 4, 1, 0, ECX, 19, 0)                                                        \
    X(SSE42, "sse4.2", 5, 1, 0, ECX, 20, 0)                                                        \
    X(POPCNT, "popcnt", 6, 1, 0, ECX, 23, 0)                                                       \
    X(CX16, "cx16", 7, 1, 0, ECX, 13, 0)                                                           \
    X(SAHF, "sahf", 8, 0x80000001, 0, ECX, 0, 0)                                                   \
    X(AVX, "avx", 9, 1, 0, ECX, 28, 0x6)                                                           \
    X(F16C, "f16c", 10, 1, 0, ECX, 29, 0x6)                                                        \
    X(FMA, "fma", 11, 1, 0, ECX, 12, 0x6)                                                          \
    X(MOVBE, "movbe", 12, 1, 0, ECX, 22, 0)                                                        \
    X(AVX2, "avx2", 13, 7, 0, EBX, 5, 0x6)                                                         \
    X(BMI, "bmi", 14, 7, 0, EBX, 3, 0)                                                             \
    X(BMI2, "bmi2", 15, 7, 0, EBX, 8, 0)                                                           \
    X(LZCNT, "lzcnt", 16, 0x80000001, 0, ECX, 5, 0)                                                \
    X(AVX512F, "avx512f", 17, 7, 0, EBX, 16, 0xe6)                                                 \
    X(AVX512BW, "avx512bw", 18, 7, 0, EBX, 30, 0xe6)                                               \
    X(AVX512CD, "avx512cd", 19, 7, 0, EBX, 28, 0xe6)                                               \
    X(AVX512DQ, "avx512dq", 20, 7, 0, EBX, 17, 0xe6)                                               \
    X(AVX512VL, "avx512vl", 21, 7, 0, EBX, 31, 0xe6)                                               \
    X(AVX512VNNI, "avx512vnni", 22, 7, 0, ECX, 11, 0xe6)

#define FLUID_CPU_ENUM(name, text, bit, leaf, sub, reg, pos, xcr0) FLUID_CPU_##name = 1u << (bit),
enum fluid_cpu_feature { FLUID_CPU_FEATURES(FLUID_CPU_ENUM) };

#endif
