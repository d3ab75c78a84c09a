/* fadt.h - how the firmware wants the machine to be switched off and reset (ACPI 6.5, 5.2.9: the
 * fixed ACPI description table, and the object _S5_ of the DSDT). */
#ifndef KERNEL_DEV_FADT_H
#define KERNEL_DEV_FADT_H

#include "dev/acpi.h"

struct fadt {
    uint64_t dsdt;
    uint16_t pm1a, pm1b;  /* ports of the PM1 control registers; 0: not there */
    uint16_t smi_command; /* port; 0: ACPI is always on */
    uint8_t acpi_enable;
    uint8_t century; /* index in the RTC's memory; 0: not there */
    /* The reset register: a port, or an address in memory; 0: not there. */
    uint16_t reset_port;
    uint64_t reset_address;
    uint8_t reset_value;
};

/* -1 with E-ACPI-06 when the table is too short. What it does not have, or has where this kernel
 * does not reach (a reset register in PCI configuration space), is 0. */
int fadt_parse(struct fadt *fadt, const struct acpi_table *table, struct fluid_error *err);

/* The values of SLP_TYPa and SLP_TYPb (0 to 7) for the state S5, "soft off". -1 with E-ACPI-07 when
 * the DSDT has no such object, or one that is none. */
int dsdt_find_s5(uint8_t types[2], const struct acpi_table *dsdt, struct fluid_error *err);
#endif
