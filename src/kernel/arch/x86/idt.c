/* idt.c - the interrupt descriptor table: every exception and IRQ has a gate (Intel SDM vol.
 * 3A, 6.10). */
#include <stdint.h>

#include "arch/x86/gdt.h"
#include "arch/x86/trap.h"

#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupts off on entry */
#define GATE_TASK 0x85

struct __attribute__((packed)) gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
#ifdef __x86_64__
    uint32_t offset_high;
    uint32_t reserved;
#endif
};

extern const uintptr_t isr_stubs[TRAP_VECTORS]; /* isr.S */

static struct gate idt[TRAP_VECTORS] __attribute__((aligned(16)));

static void set_gate(unsigned vector, uintptr_t handler, uint8_t ist) {
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)handler,
        .selector = GDT_CODE,
        .ist = ist,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(handler >> 16),
#ifdef __x86_64__
        .offset_high = (uint32_t)(handler >> 32),
#endif
    };
}

void idt_init(void) {
    for (unsigned vector = 0; vector < TRAP_VECTORS; vector++)
        set_gate(vector, isr_stubs[vector], 0);
#ifdef __x86_64__
    idt[2].ist = IST_NMI;
    idt[TRAP_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
    idt[TRAP_MACHINE_CHECK].ist = IST_MACHINE_CHECK;
    idt[TRAP_PAGE_FAULT].ist = IST_PAGE_FAULT;
#else
    idt[TRAP_DOUBLE_FAULT] = (struct gate){.selector = GDT_DOUBLE_FAULT_TSS, .type = GATE_TASK};
#endif
    idt_load();
}

void idt_load(void) {
    struct __attribute__((packed)) {
        uint16_t limit;
        uintptr_t base;
    } pointer = {sizeof(idt) - 1, (uintptr_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}
