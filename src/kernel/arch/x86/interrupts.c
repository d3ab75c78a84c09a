/* interrupts.c - EFLAGS.IF (Intel SDM vol. 3A, 6.8.1). */
#include "arch/x86/interrupts.h"

void interrupts_enable(void) {
    __asm__ volatile("sti" : : : "memory");
}

void interrupts_disable(void) {
    __asm__ volatile("cli" : : : "memory");
}
