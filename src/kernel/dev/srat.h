/* srat.h - which memory is near which processor: the System Resource Affinity Table (ACPI 6.5,
 * section 5.2.16). Knows no hardware. */
#ifndef KERNEL_DEV_SRAT_H
#define KERNEL_DEV_SRAT_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/acpi.h"

#define SRAT_MEMORY_MAX 32

struct srat_memory {
    uint64_t base, length;
    uint32_t node; /* proximity domain */
};

struct srat {
    unsigned memory_count;
    struct srat_memory memory[SRAT_MEMORY_MAX]; /* enabled and not empty */
    bool has_node;                              /* the next is valid */
    uint32_t node;                              /* of the processor that was asked for */
};

/* Reads the table; apic_id: of the processor whose node is looked for. -1 with E-ACPI-08 when
 * entries reach over its end, or memory wraps around, overlaps or is in too many pieces. */
int srat_parse(struct srat *srat, const struct acpi_table *table, uint32_t apic_id,
               struct fluid_error *err);
#endif
