/* ioapic.h - I/O APICs, which deliver the interrupts of devices to a local APIC (Intel 82093AA data
 * sheet). */
#ifndef KERNEL_ARCH_X86_IOAPIC_H
#define KERNEL_ARCH_X86_IOAPIC_H

#include "arch/x86/irq.h"
#include "dev/madt.h"

extern const struct irq_controller ioapic;

/* Maps them and changes nothing yet. -1 with E-ACPI-04 when one does not answer as an I/O APIC
 * would.
 */
int ioapic_init(const struct madt *madt, struct fluid_error *err);
/* Masks every pin; interrupts will go to the local APIC with this id. */
void ioapic_start(uint8_t destination);
#endif
