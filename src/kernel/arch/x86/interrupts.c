/* interrupts.c - EFLAGS.IF (Intel SDM vol. 3A, 6.8.1). */
#include "arch/x86/interrupts.h"

#include "arch/x86/control.h"

void interrupts_enable(void) {
    __asm__ volatile("sti" : : : "memory");
}

void interrupts_disable(void) {
    __asm__ volatile("cli" : : : "memory");
}

uintptr_t interrupts_hold(void) {
    return interrupts_save();
}

void interrupts_release(uintptr_t held) {
    interrupts_restore(held);
}
