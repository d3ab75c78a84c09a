/* acpi_memory.h - this machine's ACPI tables. */
#ifndef KERNEL_DEV_ACPI_MEMORY_H
#define KERNEL_DEV_ACPI_MEMORY_H

#include "dev/acpi.h"

/* The table of this machine with this signature; after paging_init. -1 when it has none; what is
 * damaged is also reported, as a warning. */
int acpi_table(const char signature[4], struct acpi_table *table);
/* The same for a table that only another one knows the address of. */
int acpi_table_at(uint64_t address, const char signature[4], struct acpi_table *table);
#endif
