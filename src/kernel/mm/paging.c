/* paging.c - the page tables: every page that is present is mapped at its physical address.
 *
 * Memory is mapped in 2 MiB pages; one is split into a page table when a part of it gets other
 * protection, and stays split. Upper levels permit everything, so a leaf alone decides. */
#include "mm/paging.h"

#include <stdbool.h>

#include "arch/x86/control.h"
#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/sections.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/page_tables.h"
#include "mm/pages.h"

#define INVLPG_MAX_PAGES 32

static uint64_t *root;
static bool active;

static uint64_t *new_table(void) {
    uint64_t *table = pages_alloc_for(PAGES_TABLES, 1, PAGE_SIZE, PAGES_EARLY_LIMIT);
    if (table == NULL && active)
        table = pages_alloc_for(PAGES_TABLES, 1, PAGE_SIZE, 0);
    if (table == NULL)
        panic("no free page for a page table");
    memset(table, 0, PAGE_SIZE);
    return table;
}

static uint64_t *table_of(uint64_t entry) {
    return (uint64_t *)(uintptr_t)(entry & PTE_ADDRESS);
}

static uint64_t leaf(uint64_t address, unsigned flags) {
    if (flags & PAGE_NONE)
        return 0;
    uint64_t entry = address | PTE_PRESENT;
    if (flags & PAGE_W)
        entry |= PTE_WRITE;
    if (flags & PAGE_USER)
        entry |= PTE_USER;
    if (flags & PAGE_UNCACHED)
        entry |= PTE_CACHE_OFF | PTE_WRITE_THROUGH;
    if (flags & PAGE_X)
        entry |= PTE_EXEC;
    else if (cpu_info()->nx)
        entry |= PTE_NX;
    return entry;
}

/* The page-directory entry that covers address; NULL when a level above is absent and !create. */
static uint64_t *directory_entry(uintptr_t address, bool create) {
    uint64_t *table = root;
    for (unsigned level = LEVEL_ROOT; level > LEVEL_DIRECTORY; level--) {
        size_t index = address >> LEVEL_SHIFT(level) & (TABLE_ENTRIES - 1);
        uint64_t *entry = &table[index];
        if (!(*entry & PTE_PRESENT)) {
            if (!create)
                return NULL;
            uint64_t flags = level == LEVEL_ROOT ? ROOT_ENTRY_FLAGS : TABLE_FLAGS;
            *entry = (uintptr_t)new_table() | flags;
        }
        table = table_of(*entry);
    }
    return &table[address >> LEVEL_SHIFT(LEVEL_DIRECTORY) & (TABLE_ENTRIES - 1)];
}

/* The page-table entry of address; splits the 2 MiB page that covers it or makes an empty table. */
static uint64_t *page_entry(uint64_t *directory, uintptr_t address) {
    if (!(*directory & PTE_PRESENT)) {
        *directory = (uintptr_t)new_table() | TABLE_FLAGS;
    } else if (*directory & PTE_LARGE) {
        uint64_t *table = new_table();
        for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
            table[i] = (*directory & ~PTE_LARGE) + i * PAGE_SIZE;
        *directory = (uintptr_t)table | TABLE_FLAGS;
    }
    return &table_of(*directory)[address / PAGE_SIZE & (TABLE_ENTRIES - 1)];
}

static void flush(uintptr_t start, size_t pages) {
    if (!active)
        return;
    cores_flush();
    if (pages > INVLPG_MAX_PAGES) {
        write_cr3(read_cr3());
        return;
    }
    for (size_t i = 0; i < pages; i++)
        __asm__ volatile("invlpg (%0)" : : "r"(start + i * PAGE_SIZE) : "memory");
}

void paging_set(uintptr_t start, uintptr_t pages, unsigned flags) {
    uintptr_t address = start, left = pages;
    while (left > 0) {
        uint64_t *directory = directory_entry(address, true);
        bool table = (*directory & PTE_PRESENT) && !(*directory & PTE_LARGE);
        uintptr_t step = LARGE_PAGE_SIZE / PAGE_SIZE;
        if (address % LARGE_PAGE_SIZE == 0 && left >= step && !table) {
            uint64_t entry = leaf(address, flags);
            *directory = entry != 0 ? entry | PTE_LARGE : 0;
        } else {
            step = 1;
            *page_entry(directory, address) = leaf(address, flags);
        }
        address += step * PAGE_SIZE;
        left -= step;
    }
    flush(start, pages);
}

void paging_start(void) {
    paging_activate(root);
    active = true;
}

void paging_create(void) {
    root = new_table();
    /* A changed PAE PDPTE takes effect only when CR3 is loaded: have all four from the start. */
    for (unsigned i = 0; LEVEL_ROOT == LEVEL_DIRECTORY + 1 && i < ROOT_ENTRIES; i++)
        directory_entry((uintptr_t)i << LEVEL_SHIFT(LEVEL_ROOT), true);
}

void paging_protect(const void *start, size_t size, unsigned flags) {
    KASSERT((uintptr_t)start % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
    if ((flags & PAGE_W) && (flags & PAGE_X))
        panic("paging_protect(%p, %zu): a page must not be both writable and executable", start,
              size);
    paging_set((uintptr_t)start, size / PAGE_SIZE, flags);
}

void *paging_map_device(uint64_t physical, size_t size) {
    uint64_t limit = 1ull << PAGING_ADDRESS_BITS;
    if (size == 0 || physical >= limit || size > limit - physical || pages_is_ram(physical, size))
        return NULL;
    uintptr_t first = (uintptr_t)(physical / PAGE_SIZE);
    uintptr_t end = (uintptr_t)((physical + size - 1) / PAGE_SIZE) + 1;
    paging_set(first * PAGE_SIZE, end - first, PAGE_W | PAGE_UNCACHED);
    return (void *)(uintptr_t)physical;
}

static unsigned flags_of(uint64_t entry) {
    if (!(entry & PTE_PRESENT))
        return PAGE_NONE;
    return (entry & PTE_WRITE ? PAGE_W : 0) | (entry & PTE_EXEC ? PAGE_X : 0) |
           (entry & PTE_CACHE_OFF ? PAGE_UNCACHED : 0) | (entry & PTE_USER ? PAGE_USER : 0);
}

unsigned paging_query(const void *pointer) {
    uintptr_t address = (uintptr_t)pointer;
    if (!active) /* entry.S mapped the kernel at least */
        return address >= (uintptr_t)kernel_start && address < (uintptr_t)kernel_end ? PAGE_W
                                                                                     : PAGE_NONE;
    if ((uint64_t)address >> PAGING_ADDRESS_BITS != 0)
        return PAGE_NONE;
    uint64_t *directory = directory_entry(address, false);
    if (directory == NULL || !(*directory & PTE_PRESENT) || *directory & PTE_LARGE)
        return directory == NULL ? PAGE_NONE : flags_of(*directory);
    return flags_of(table_of(*directory)[address / PAGE_SIZE & (TABLE_ENTRIES - 1)]);
}

/* Panics when an entry below table breaks a rule; base: address that the table's first entry
 * covers. */
static void check_table(const uint64_t *table, unsigned level, uint64_t base) {
    unsigned entries = level == LEVEL_ROOT ? ROOT_ENTRIES : TABLE_ENTRIES;
    for (unsigned i = 0; i < entries; i++) {
        uint64_t entry = table[i], address = base + ((uint64_t)i << LEVEL_SHIFT(level));
        if (!(entry & PTE_PRESENT))
            continue;
        if (level > LEVEL_PAGE && !(level == LEVEL_DIRECTORY && entry & PTE_LARGE)) {
            check_table(table_of(entry), level - 1, address);
            continue;
        }
        uint64_t wrong =
            level == LEVEL_PAGE ? PTE_ADDRESS : PTE_ADDRESS & ~(LARGE_PAGE_SIZE - 1ull);
        if ((entry & wrong) != address)
            panic("page table: 0x%llx is mapped to 0x%llx", (unsigned long long)address,
                  (unsigned long long)(entry & wrong));
        if (entry & PTE_WRITE && entry & PTE_EXEC)
            panic("page table: 0x%llx is writable and executable", (unsigned long long)address);
        if (entry & PTE_USER)
            panic("page table: 0x%llx is a user page", (unsigned long long)address);
        if (cpu_info()->nx && !(entry & PTE_EXEC) == !(entry & PTE_NX))
            panic("page table: 0x%llx has a wrong NX bit", (unsigned long long)address);
    }
}

void paging_check_tables(void) {
    check_table(root, LEVEL_ROOT, 0);
}
