/* control.h - control registers, MSRs, CPUID and flags (Intel SDM vol. 3A, sections 2.5 and 2.8),
 * for C and the assembler. */
#ifndef KERNEL_ARCH_X86_CONTROL_H
#define KERNEL_ARCH_X86_CONTROL_H

#ifdef __ASSEMBLER__
#define CONTROL_BIT(n) (1 << (n))
#else
#include <stdbool.h>
#include <stdint.h>
#include "fluid/cpuid.h"
#define CONTROL_BIT(n) (1u << (n))
#endif

#define CR0_PE CONTROL_BIT(0)
#define CR0_MP CONTROL_BIT(1)
#define CR0_EM CONTROL_BIT(2)
#define CR0_TS CONTROL_BIT(3)
#define CR0_NE CONTROL_BIT(5)
#define CR0_WP CONTROL_BIT(16)
#define CR0_NW CONTROL_BIT(29)
#define CR0_CD CONTROL_BIT(30)
#define CR0_PG CONTROL_BIT(31)

#define CR4_PAE CONTROL_BIT(5)
#define CR4_OSFXSR CONTROL_BIT(9)
#define CR4_OSXMMEXCPT CONTROL_BIT(10)
#define CR4_UMIP CONTROL_BIT(11) /* no SGDT, SIDT, SLDT, STR, SMSW in user mode */
#define CR4_OSXSAVE CONTROL_BIT(18)
#define CR4_SMEP CONTROL_BIT(20) /* the kernel executes no user page */
#define CR4_SMAP CONTROL_BIT(21) /* nor reads or writes one */

#define CR4_FSGSBASE CONTROL_BIT(16) /* user mode changes FS.base and GS.base */

#define MSR_EFER 0xc0000080
#define EFER_SCE CONTROL_BIT(0)
#define EFER_LME CONTROL_BIT(8)
#define EFER_LMA CONTROL_BIT(10)
#define EFER_NXE CONTROL_BIT(11)

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u
#define XCR0_AVX512 0xe0u /* opmask, upper halves of ZMM0-15, ZMM16-31: only all three together */
#define XCR0_USED (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)

#define MXCSR_DEFAULT 0x1f80 /* all exceptions masked, to nearest (SDM vol. 1, 10.2.3) */

#define EFLAGS_TF CONTROL_BIT(8)
#define EFLAGS_IF CONTROL_BIT(9)
#define EFLAGS_DF CONTROL_BIT(10)
#define EFLAGS_IOPL (3 * CONTROL_BIT(12))
#define EFLAGS_NT CONTROL_BIT(14)
#define EFLAGS_RF CONTROL_BIT(16)
#define EFLAGS_AC CONTROL_BIT(18)

#ifndef __ASSEMBLER__
#define DEFINE_CONTROL_REGISTER(name)                                                              \
    static inline uintptr_t read_##name(void) {                                                    \
        uintptr_t value;                                                                           \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                     \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_##name(uintptr_t value) {                                             \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                            \
    }
DEFINE_CONTROL_REGISTER(cr0)
DEFINE_CONTROL_REGISTER(cr2)
DEFINE_CONTROL_REGISTER(cr3)
DEFINE_CONTROL_REGISTER(cr4)

static inline uint64_t read_msr(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}
static inline void write_msr(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr));
}
/* A performance counter (SDM vol. 2B, RDPMC). */
static inline uint64_t read_pmc(uint32_t number) {
    uint32_t low, high;
    __asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}
static inline uint64_t read_xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}
static inline void write_xcr0(uint64_t value) {
    __asm__ volatile("xsetbv" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
}

static inline uintptr_t read_flags(void) {
    uintptr_t flags;
    __asm__ volatile("pushf\n\tpop %0" : "=r"(flags));
    return flags;
}
/* Interrupts off; give the result to interrupts_restore. */
static inline uintptr_t interrupts_save(void) {
    uintptr_t flags = read_flags();
    __asm__ volatile("cli" : : : "memory");
    return flags;
}
static inline void interrupts_restore(uintptr_t flags) {
    if (flags & EFLAGS_IF)
        __asm__ volatile("sti" : : : "memory");
}

#endif
#endif
