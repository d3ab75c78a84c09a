/* mcfg.h - where PCI configuration space lies in memory (PCI Firmware Specification 3.0, 4.1.2: the
 * MCFG table, for PCI Express' enhanced configuration access mechanism). */
#ifndef KERNEL_DEV_MCFG_H
#define KERNEL_DEV_MCFG_H

#include "dev/acpi.h"

#define MCFG_BUS_BYTES (1u << 20)

struct mcfg {
    uint64_t address; /* of bus 0 */
    uint8_t first_bus, last_bus;
};

/* The first range of segment 0. -1 with E-ACPI-09 when there is none, or one that cannot be. */
int mcfg_parse(struct mcfg *mcfg, const struct acpi_table *table, struct fluid_error *err);
#endif
