/* hpet_table.h - where the HPET's registers are (IA-PC HPET specification 1.0a, 3.2.4). */
#ifndef KERNEL_DEV_HPET_TABLE_H
#define KERNEL_DEV_HPET_TABLE_H

#include "dev/acpi.h"

/* -1 with E-ACPI-05 when the table names no place in memory. */
int hpet_table_parse(uint64_t *address, const struct acpi_table *table, struct fluid_error *err);
#endif
