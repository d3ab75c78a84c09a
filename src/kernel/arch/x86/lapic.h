/* lapic.h - the local APIC of this processor (Intel SDM vol. 3A, chapter 10). */
#ifndef KERNEL_ARCH_X86_LAPIC_H
#define KERNEL_ARCH_X86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/madt.h"

/* Registers, as offsets from its address (SDM table 10-1). */
#define LAPIC_ID 0x20
#define LAPIC_VERSION 0x30
#define LAPIC_TASK_PRIORITY 0x80
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_ERROR_STATUS 0x280
#define LAPIC_COMMAND 0x300 /* 0x310 is its upper half */
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT(n) (0x350u + 0x10 * (n))
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0
#define LAPIC_LVT_MASKED (1u << 16)

/* Commands to other cores (SDM figure 10-12): level asserted, edge-triggered. */
#define LAPIC_FIXED(vector) (1u << 14 | (vector))
#define LAPIC_NMI (1u << 14 | 4u << 8)
#define LAPIC_INIT (1u << 14 | 5u << 8)
#define LAPIC_STARTUP(address) (1u << 14 | 6u << 8 | (address) >> 12)

/* Switches it on for interrupts of an I/O APIC and its own, none from the 8259A. False when there
 * is none that can be used; then nothing has changed. */
bool lapic_init(const struct madt *madt);
void lapic_init_core(void); /* the same for the core that calls this, which gets no other */
void lapic_send(uint32_t apic_id, uint32_t command);
void lapic_send_others(uint32_t command); /* to all but this core */
bool lapic_in_use(void);
uint32_t lapic_read(uint32_t reg);
void lapic_write(uint32_t reg, uint32_t value);
uint8_t lapic_id(void);
void lapic_end(void); /* of the interrupt that is being handled */
/* trap.c */
void lapic_handle_spurious(void);
void lapic_handle_error(void);
uint64_t lapic_spurious_count(void);
uint64_t lapic_error_count(void);
#endif
