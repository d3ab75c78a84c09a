/* ksyms.c - names for code addresses. Runs during a panic: allocates nothing, trusts nothing. */
#include "load/ksyms.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"

#define HEADER_SIZE 8u

struct entry {
    uint32_t address; /* sorted, strictly rising */
    uint32_t name;    /* offset from the start of the blob; an empty name ends the code before */
};

static const char *table; /* NULL: no names */
static uint32_t table_count;

static struct entry entry_at(const char *blob, uint32_t index) {
    struct entry e;
    memcpy(&e, blob + HEADER_SIZE + index * sizeof e, sizeof e);
    return e;
}

static bool valid(const char *blob, size_t size) {
    uint32_t count;
    if (!blob || size < HEADER_SIZE + sizeof(struct entry) || memcmp(blob, "FSYM", 4) != 0)
        return false;
    memcpy(&count, blob + 4, sizeof count);
    if (count == 0 || count > (size - HEADER_SIZE) / sizeof(struct entry) || blob[size - 1] != 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (entry_at(blob, i).name >= size)
            return false;
        if (i > 0 && entry_at(blob, i).address <= entry_at(blob, i - 1).address)
            return false;
    }
    return true;
}

void ksyms_init(const void *blob, size_t size) {
    table = valid(blob, size) ? blob : NULL;
    if (table)
        memcpy(&table_count, table + 4, sizeof table_count);
}

/* Last entry at or below address: its name, NULL when there is none. */
static const char *kernel_symbol(uintptr_t address, uintptr_t *offset) {
    if (!table || address < entry_at(table, 0).address)
        return NULL;
    uint32_t low = 0, high = table_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(table, middle).address <= address)
            low = middle;
        else
            high = middle;
    }
    *offset = address - entry_at(table, low).address;
    const char *name = table + entry_at(table, low).name;
    return *name ? name : NULL;
}

/* The symbol that covers address - back, with the offset of address. */
static void format(uintptr_t address, uintptr_t back, char *to, size_t size) {
    uintptr_t offset;
    const char *module, *symbol = kernel_symbol(address - back, &offset);
    if (symbol)
        ksnprintf(to, size, "%s+0x%llx", symbol, (unsigned long long)(offset + back));
    else if (module_symbolise(address - back, &module, &symbol, &offset))
        ksnprintf(to, size, "%s:%s+0x%llx", module, symbol, (unsigned long long)(offset + back));
    else
        ksnprintf(to, size, "?");
}

void ksyms_format(uintptr_t address, char *to, size_t size) {
    format(address, 0, to, size);
}

void ksyms_format_caller(uintptr_t return_address, char *to, size_t size) {
    format(return_address, 1, to, size);
}

uintptr_t ksyms_function(uintptr_t address) {
    uintptr_t offset;
    const char *module, *symbol;
    if (kernel_symbol(address, &offset) || module_symbolise(address, &module, &symbol, &offset))
        return address - offset;
    return 0;
}
