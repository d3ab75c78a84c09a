/* acpi_memory.c - ACPI tables lie in memory that the firmware has reserved, mapped when they are
 * looked at. */
#include "dev/acpi_memory.h"

#include "console/event.h"
#include "mm/page_tables.h"
#include "mm/pages.h"
#include "mm/paging.h"

/* Page 0 stays absent whatever a table says: a NULL pointer must fault. */
static const void *map(uint64_t address, size_t size) {
    uint64_t limit = 1ull << PAGING_ADDRESS_BITS;
    if (size == 0 || address < PAGE_SIZE || address >= limit || size > limit - address)
        return NULL;
    for (uint64_t at = address / PAGE_SIZE * PAGE_SIZE; at < address + size; at += PAGE_SIZE)
        if (paging_query((const void *)(uintptr_t)at) & PAGE_NONE &&
            paging_map_device(at, PAGE_SIZE) == NULL)
            return NULL;
    return (const void *)(uintptr_t)address;
}

/* The root is looked for, and complained of, once; NULL when there is none. */
static const struct acpi *root(void) {
    static struct acpi acpi;
    static enum { NOT_LOOKED, FOUND, ABSENT } state;
    struct fluid_error err;
    if (state == NOT_LOOKED) {
        state = acpi_open(&acpi, map, &err) == 0 ? FOUND : ABSENT;
        if (state == ABSENT && err.code[0] != '\0')
            report_warn(&err);
    }
    return state == FOUND ? &acpi : NULL;
}

int acpi_table(const char signature[4], struct acpi_table *table) {
    const struct acpi *acpi = root();
    struct fluid_error err;
    if (acpi == NULL)
        return -1;
    if (acpi_find(acpi, signature, table, &err) == 0)
        return 0;
    if (err.code[0] != '\0')
        report_warn(&err);
    return -1;
}

int acpi_table_at(uint64_t address, const char signature[4], struct acpi_table *table) {
    const struct acpi *acpi = root();
    struct fluid_error err;
    if (acpi == NULL)
        return -1;
    if (acpi_read(acpi, address, signature, table, &err) == 0)
        return 0;
    report_warn(&err);
    return -1;
}
