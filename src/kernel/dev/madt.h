/* madt.h - which interrupt controllers there are, and where the interrupts of the ISA bus arrive:
 * the Multiple APIC Description Table (ACPI 6.5, section 5.2.12). Knows no hardware. */
#ifndef KERNEL_DEV_MADT_H
#define KERNEL_DEV_MADT_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/acpi.h"

#define MADT_IO_APICS_MAX 8
#define MADT_ISA_IRQS 16
#define MADT_PROCESSORS_MAX 64
#define MADT_ALL_PROCESSORS 0xff

struct madt_io_apic {
    uint32_t address;   /* physical */
    uint32_t first_gsi; /* global system interrupt of its first pin */
};

struct madt_isa_irq {
    uint32_t gsi;
    bool active_low, level; /* ISA itself: active high, edge */
};

struct madt {
    uint64_t local_apic; /* physical address, page-aligned */
    unsigned io_apic_count;
    struct madt_io_apic io_apic[MADT_IO_APICS_MAX];
    struct madt_isa_irq isa[MADT_ISA_IRQS];
    unsigned processors; /* enabled ones, of which the first MADT_PROCESSORS_MAX: */
    uint32_t apic_id[MADT_PROCESSORS_MAX];
    bool has_nmi;     /* the next three are valid */
    uint8_t nmi_lint; /* 0 or 1: the local APIC's input for non-maskable interrupts */
    bool nmi_low, nmi_level;
};

/* Reads the table. -1 with E-ACPI-03 when entries reach over its end or hold what cannot be. */
int madt_parse(struct madt *madt, const struct acpi_table *table, struct fluid_error *err);
#endif
