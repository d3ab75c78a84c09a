/* acpi.c - from the root pointer in the BIOS's memory to one table. */
#include "dev/acpi.h"

#include "lib/string.h"

/* Where the root pointer is looked for (ACPI 6.5, 5.2.5.1): the BIOS's ROM, and the extended BIOS
 * data area. That lies anywhere in the 128 KiB below VGA; its address is in page 0, which is
 * absent, so all of them are searched. */
#define EBDA_START 0x80000u
#define EBDA_END 0xa0000u
#define ROM_START 0xe0000u
#define ROM_END 0x100000u
#define RSDP_ALIGN 16u

#define RSDP_FIRST_SIZE 20u /* what ACPI 1.0 has, with a checksum of its own */
#define RSDP_REVISION_XSDT 2u
#define TABLE_MAX (1u << 20) /* bytes; real ones have a few hundred */

struct __attribute__((packed)) rsdp { /* table 5.3 */
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length; /* from here on since ACPI 2.0 */
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
};
_Static_assert(sizeof(struct rsdp) == 36, "ACPI 6.5 table 5.3");

static bool sums_to_zero(const void *bytes, size_t size) {
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
    return sum == 0;
}

/* Copies the root pointer when a sound one is at address; what revision 0 does not have is 0. */
static bool rsdp_at(acpi_map_fn *map, uint64_t address, struct rsdp *rsdp) {
    const void *at = map(address, RSDP_FIRST_SIZE);
    if (at == NULL || memcmp(at, "RSD PTR ", 8) != 0 || !sums_to_zero(at, RSDP_FIRST_SIZE))
        return false;
    memset(rsdp, 0, sizeof(*rsdp));
    memcpy(rsdp, at, RSDP_FIRST_SIZE);
    if (rsdp->revision < RSDP_REVISION_XSDT)
        return true;
    at = map(address, sizeof(*rsdp));
    if (at == NULL)
        return true;
    struct rsdp whole;
    memcpy(&whole, at, sizeof(whole));
    if (whole.length == sizeof(whole) && sums_to_zero(at, sizeof(whole)))
        *rsdp = whole;
    return true;
}

static bool find_rsdp(acpi_map_fn *map, struct rsdp *rsdp) {
    for (uint64_t at = EBDA_START; at < EBDA_END; at += RSDP_ALIGN)
        if (rsdp_at(map, at, rsdp))
            return true;
    for (uint64_t at = ROM_START; at < ROM_END; at += RSDP_ALIGN)
        if (rsdp_at(map, at, rsdp))
            return true;
    return false;
}

enum found { FOUND_SOUND, FOUND_OTHER, FOUND_DAMAGED };

/* Is the table with this signature at address, and is it what it was when it was made? */
static enum found table_at(acpi_map_fn *map, uint64_t address, const char signature[4],
                           struct acpi_table *table) {
    struct acpi_header header;
    const void *at = map(address, sizeof(header));
    if (at == NULL)
        return FOUND_OTHER;
    memcpy(&header, at, sizeof(header));
    if (memcmp(header.signature, signature, sizeof(header.signature)) != 0)
        return FOUND_OTHER;
    if (header.length < sizeof(header) || header.length > TABLE_MAX)
        return FOUND_DAMAGED;
    at = map(address, header.length);
    if (at == NULL || !sums_to_zero(at, header.length))
        return FOUND_DAMAGED;
    *table = (struct acpi_table){at, header.length};
    return FOUND_SOUND;
}

int acpi_open(struct acpi *acpi, acpi_map_fn *map, struct fluid_error *err) {
    struct rsdp rsdp;
    if (!find_rsdp(map, &rsdp))
        return fluid_fail(err, "", "no ACPI");
    *acpi = (struct acpi){.map = map, .entry_size = sizeof(uint64_t)};
    if (rsdp.xsdt != 0 && table_at(map, rsdp.xsdt, "XSDT", &acpi->root) == FOUND_SOUND)
        return 0;
    acpi->entry_size = sizeof(uint32_t);
    if (table_at(map, rsdp.rsdt, "RSDT", &acpi->root) == FOUND_SOUND)
        return 0;
    return fluid_fail(err, "E-ACPI-01",
                      "ACPI: a sound RSDT or XSDT expected, found none at 0x%x and 0x%llx; update "
                      "the BIOS",
                      rsdp.rsdt, (unsigned long long)rsdp.xsdt);
}

static uint64_t address_at(const struct acpi *acpi, size_t offset) {
    uint64_t address = 0; /* little-endian: the low half is what the RSDT has */
    memcpy(&address, acpi->root.bytes + offset, acpi->entry_size);
    return address;
}

static int damaged(const char signature[4], struct fluid_error *err) {
    return fluid_fail(err, "E-ACPI-02",
                      "ACPI: table %.4s with a right length and checksum expected, found a "
                      "damaged one; update the BIOS",
                      signature);
}

int acpi_read(const struct acpi *acpi, uint64_t address, const char signature[4],
              struct acpi_table *table, struct fluid_error *err) {
    bool sound = table_at(acpi->map, address, signature, table) == FOUND_SOUND;
    return sound ? 0 : damaged(signature, err);
}

int acpi_find(const struct acpi *acpi, const char signature[4], struct acpi_table *table,
              struct fluid_error *err) {
    size_t end = acpi->root.size - acpi->entry_size; /* the header is longer than an entry */
    fluid_fail(err, "", "no such table");
    for (size_t at = sizeof(struct acpi_header); at <= end; at += acpi->entry_size) {
        enum found found = table_at(acpi->map, address_at(acpi, at), signature, table);
        if (found == FOUND_SOUND)
            return 0;
        if (found == FOUND_DAMAGED)
            damaged(signature, err);
    }
    return -1;
}
