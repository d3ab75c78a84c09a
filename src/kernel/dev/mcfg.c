/* mcfg.c - a list of ranges behind eight reserved bytes. */
#include "dev/mcfg.h"

#include "lib/string.h"

#define LIST_OFFSET (sizeof(struct acpi_header) + 8)

struct __attribute__((packed)) range {
    uint64_t address;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
_Static_assert(sizeof(struct range) == 16, "PCI Firmware Specification 3.0 table 4-3");

int mcfg_parse(struct mcfg *mcfg, const struct acpi_table *table, struct fluid_error *err) {
    struct range r;
    for (size_t at = LIST_OFFSET; at <= table->size && sizeof(r) <= table->size - at;
         at += sizeof(r)) {
        memcpy(&r, table->bytes + at, sizeof(r));
        if (r.segment != 0)
            continue;
        uint64_t end;
        bool wraps = __builtin_add_overflow(r.address, (r.last_bus + 1ull) * MCFG_BUS_BYTES, &end);
        if (r.address == 0 || r.address % MCFG_BUS_BYTES != 0 || wraps || r.first_bus > r.last_bus)
            return fluid_fail(err, "E-ACPI-09",
                              "ACPI: an aligned range of buses expected in the MCFG, found buses "
                              "%u to %u at 0x%llx; PCI is reached through ports (update the BIOS)",
                              r.first_bus, r.last_bus, (unsigned long long)r.address);
        *mcfg = (struct mcfg){r.address, r.first_bus, r.last_bus};
        return 0;
    }
    return fluid_fail(
        err, "E-ACPI-09",
        "ACPI: a range of segment 0 expected in the MCFG, found none in %u bytes; PCI "
        "is reached through ports (update the BIOS)",
        (unsigned)table->size);
}
