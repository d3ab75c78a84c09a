/* hpet_table.c - one address in a table of fixed size. */
#include "dev/hpet_table.h"

#include "lib/string.h"

#define SPACE_MEMORY 0
#define REGISTERS_ALIGN 1024u

struct __attribute__((packed)) hpet_table {
    struct acpi_header header;
    uint32_t block_id;
    uint8_t space, bit_width, bit_offset, access_size; /* a generic address (ACPI 6.5, 5.2.3.2) */
    uint64_t address;
    uint8_t number;
    uint16_t minimum_tick;
    uint8_t protection;
};

int hpet_table_parse(uint64_t *address, const struct acpi_table *table, struct fluid_error *err) {
    struct hpet_table t;
    if (table->size < sizeof(t))
        return fluid_fail(err, "E-ACPI-05",
                          "ACPI: a HPET table of %u bytes expected, found %u; update the BIOS",
                          (unsigned)sizeof(t), (unsigned)table->size);
    memcpy(&t, table->bytes, sizeof(t));
    if (t.space != SPACE_MEMORY || t.address == 0 || t.address % REGISTERS_ALIGN != 0)
        return fluid_fail(err, "E-ACPI-05",
                          "ACPI: an aligned HPET in memory expected, found 0x%llx in space %u; "
                          "update the BIOS",
                          (unsigned long long)t.address, t.space);
    *address = t.address;
    return 0;
}
