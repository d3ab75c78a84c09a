/* extended.c - XSAVE where the processor has it, else FXSAVE, which every processor with SSE has.
 * All of the state is saved each time: an interrupted module may use any of it. */
#include "arch/x86/extended.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "lib/string.h"

#define FXSAVE_SIZE 512u
#define LEAF_XSAVE 0xd
#define FCW_OFFSET 0
#define MXCSR_OFFSET 24
#define FCW_DEFAULT 0x37f /* all exceptions masked (SDM vol. 1, 8.1.5) */

static bool has_xsave(void) {
    return cpu_info()->xcr0 != 0;
}

size_t extended_size(void) {
    return has_xsave() ? cpuid(LEAF_XSAVE, 0).ebx : FXSAVE_SIZE;
}

/* The zero header of XSAVE says that everything is in its initial state; only MXCSR is read from
 * the area all the same (SDM vol. 1, 13.8.1). */
void extended_init(void *area) {
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;
    memcpy((char *)area + FCW_OFFSET, &fcw, sizeof(fcw));
    memcpy((char *)area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

void extended_save(void *area) {
    if (has_xsave())
        __asm__ volatile("xsave (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxsave (%0)" : : "r"(area) : "memory");
}

void extended_restore(const void *area) {
    if (has_xsave())
        __asm__ volatile("xrstor (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor (%0)" : : "r"(area) : "memory");
}
