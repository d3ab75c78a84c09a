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

int acpi_table(const char signature[4], struct acpi_table *table) {
    struct fluid_error err;
    struct acpi acpi;
    if (acpi_open(&acpi, map, &err) == 0 && acpi_find(&acpi, signature, table, &err) == 0)
        return 0;
    if (err.code[0] != '\0')
        report_warn(&err);
    return -1;
}
