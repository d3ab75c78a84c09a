/* acpi.h - the firmware's tables (ACPI 6.5, section 5.2): found, checked, looked up by signature.
 * Knows no hardware: memory is read through a function, and nothing in it is trusted. */
#ifndef KERNEL_DEV_ACPI_H
#define KERNEL_DEV_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fluid/kapi.h"

/* Memory at a physical address, as long as the machine runs; NULL when it may not be read. */
typedef const void *acpi_map_fn(uint64_t address, size_t size);

struct acpi_header { /* table 5.4 */
    char signature[4];
    uint32_t length; /* of the table, this header included */
    uint8_t revision;
    uint8_t checksum; /* makes the sum of all bytes 0 */
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5 table 5.4");

/* A checked table: length and checksum are right. It may lie at an odd address. */
struct acpi_table {
    const uint8_t *bytes; /* the header first */
    size_t size;
};

struct acpi {
    acpi_map_fn *map;
    struct acpi_table root; /* RSDT or XSDT */
    size_t entry_size;      /* of an address in it: 4 or 8 */
};

/* Finds the root table. -1 with code "" when the machine has no ACPI, with E-ACPI-01 when it has
 * and no root table is sound. */
int acpi_open(struct acpi *acpi, acpi_map_fn *map, struct fluid_error *err);
/* The table that another one says is at address, and has this signature. -1 with E-ACPI-02. */
int acpi_read(const struct acpi *acpi, uint64_t address, const char signature[4],
              struct acpi_table *table, struct fluid_error *err);
/* The first sound table with this signature. -1 with code "" when there is none, with E-ACPI-02
 * when it is damaged. */
int acpi_find(const struct acpi *acpi, const char signature[4], struct acpi_table *table,
              struct fluid_error *err);
#endif
