/* exceptions.c - the exceptions that code of any privilege can raise, one by one (Intel SDM vol.
 * 3A, section 6.15); faults.c has those that stand for mistakes of a kernel. */
#include <stdint.h>

#include "arch/x86/control.h"
#include "selftest/selftest.h"

#ifdef __x86_64__
#define STACK_POINTER "rsp"
#else
#define STACK_POINTER "esp"
#endif
#define X87_DEFAULT 0x37fu /* all exceptions masked (SDM vol. 1, 8.1.5) */
#define X87_ZERO_DIVIDE 4u
#define MXCSR_ZERO_DIVIDE 0x200u
#define FLOAT_ONE 0x3f800000u

/* A trap behind the instruction that follows POPF. */
static void debug(void) {
    __asm__ volatile("pushf\n\t"
                     "orl %0, (%%" STACK_POINTER ")\n\t"
                     "popf\n\t"
                     "nop"
                     :
                     : "i"(EFLAGS_TF)
                     : "cc", "memory");
}

static void breakpoint(void) {
    __asm__ volatile("int3");
}

/* INTO does not exist in 64-bit mode: only INT gets there. */
static void overflow(void) {
#ifdef __x86_64__
    __asm__ volatile("int $4");
#else
    uint8_t most = INT8_MAX;
    __asm__ volatile("incb %0\n\tinto" : "+q"(most) : : "cc");
#endif
}

#ifndef __x86_64__
static void bound_range(void) {
    static const int32_t bounds[2] = {0, 7};
    __asm__ volatile("bound %0, %1" : : "r"(8), "m"(bounds));
}
#endif

/* CR0.NE is set: no detour through the interrupt controller (SDM vol. 1, 8.7). */
static void x87_error(void) {
    uint16_t unmasked = X87_DEFAULT & ~X87_ZERO_DIVIDE;
    __asm__ volatile("fldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(unmasked));
}

static void simd_error(void) {
    uint32_t all = MXCSR_DEFAULT, unmasked = all & ~MXCSR_ZERO_DIVIDE, one = FLOAT_ONE, zero = 0;
    __asm__ volatile("ldmxcsr %0\n\tmovss %1, %%xmm0\n\tdivss %2, %%xmm0\n\tldmxcsr %3"
                     :
                     : "m"(unmasked), "m"(one), "m"(zero), "m"(all));
}

const struct selftest_fault selftest_exceptions[] = {
    {"fault-db", debug, NULL},       {"fault-bp", breakpoint, NULL}, {"fault-of", overflow, NULL},
#ifndef __x86_64__
    {"fault-br", bound_range, NULL},
#endif
    {"fault-mf", x87_error, NULL},   {"fault-xm", simd_error, NULL}, {.name = NULL},
};
