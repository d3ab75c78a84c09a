/* fadt.c - fields at fixed places; what a table of an older version lacks is 0. */
#include "dev/fadt.h"

#include "lib/string.h"

#define SPACE_MEMORY 0
#define SPACE_PORTS 1
#define FLAG_RESET_REGISTER (1u << 10)
#define PM1_BYTES 2u
#define SIZE_MIN 116u /* ACPI 1.0 */

struct __attribute__((packed)) generic_address { /* 5.2.3.2 */
    uint8_t space, bit_width, bit_offset, access_size;
    uint64_t address;
};

struct __attribute__((packed)) fadt_table { /* table 5.9 */
    struct acpi_header header;
    uint32_t firmware_control, dsdt;
    uint8_t reserved0, profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, others[4];
    uint8_t pm1_event_bytes, pm1_control_bytes, lengths[6];
    uint16_t latencies[2], flush[2];
    uint8_t duty[2], day_alarm, month_alarm, century;
    uint16_t boot_architecture;
    uint8_t reserved1;
    uint32_t flags;
    struct generic_address reset;
    uint8_t reset_value, arm[2], minor;
    uint64_t x_firmware_control, x_dsdt;
    struct generic_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
};
_Static_assert(offsetof(struct fadt_table, flags) == 112, "ACPI 6.5 table 5.9");
_Static_assert(offsetof(struct fadt_table, x_pm1b_control) == 184, "ACPI 6.5 table 5.9");

/* A port out of a field of 32 bits, or of the newer one that may replace it; 0 when there is none.
 */
static uint16_t port_of(uint32_t port, const struct generic_address *newer) {
    if (port != 0)
        return port < UINT16_MAX ? (uint16_t)port : 0;
    bool reachable = newer->space == SPACE_PORTS && newer->address < UINT16_MAX;
    return reachable ? (uint16_t)newer->address : 0;
}

int fadt_parse(struct fadt *fadt, const struct acpi_table *table, struct fluid_error *err) {
    struct fadt_table t;
    if (table->size < SIZE_MIN)
        return fluid_fail(err, "E-ACPI-06",
                          "ACPI: a FADT of at least %u bytes expected, found %u; update the BIOS",
                          SIZE_MIN, (unsigned)table->size);
    memset(&t, 0, sizeof(t));
    memcpy(&t, table->bytes, table->size < sizeof(t) ? table->size : sizeof(t));
    *fadt = (struct fadt){
        .dsdt = t.x_dsdt != 0 ? t.x_dsdt : t.dsdt,
        .smi_command = t.smi_command < UINT16_MAX ? (uint16_t)t.smi_command : 0,
        .acpi_enable = t.acpi_enable,
        .century = t.century,
    };
    if (t.pm1_control_bytes >= PM1_BYTES) {
        fadt->pm1a = port_of(t.pm1a_control, &t.x_pm1a_control);
        fadt->pm1b = port_of(t.pm1b_control, &t.x_pm1b_control);
    }
    if (t.flags & FLAG_RESET_REGISTER && t.reset.bit_width == 8 && t.reset.bit_offset == 0) {
        fadt->reset_value = t.reset_value;
        if (t.reset.space == SPACE_PORTS && t.reset.address <= UINT16_MAX)
            fadt->reset_port = (uint16_t)t.reset.address;
        else if (t.reset.space == SPACE_MEMORY)
            fadt->reset_address = t.reset.address;
    }
    return 0;
}
