/* paging.c - the page tables: every page that is present is mapped at its physical address.
 *
 * Memory is mapped in pages of 2 MiB, or 1 GiB where the processor has these; one is split when a
 * part of it gets other protection, and stays split. Upper levels permit everything, so a leaf
 * alone decides. */
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

/* Kept for when no page is free: protecting a part of a larger page must not fail. While there is
 * no memory nothing new is placed, so it is not more than a few that are split. */
#define STOCK_TABLES 8u
static uint64_t *stock[STOCK_TABLES];
static unsigned stocked;

static void fill_stock(void) {
    while (stocked < STOCK_TABLES) {
        uint64_t *table = pages_alloc_for(PAGES_TABLES, 1, PAGE_SIZE, 0);
        if (table == NULL)
            return;
        stock[stocked++] = table;
    }
}

static uint64_t *new_table(void) {
    uint64_t *table = pages_alloc_for(PAGES_TABLES, 1, PAGE_SIZE, PAGES_EARLY_LIMIT);
    if (table == NULL && active)
        table = pages_alloc_for(PAGES_TABLES, 1, PAGE_SIZE, 0);
    if (table == NULL && stocked > 0)
        table = stock[--stocked];
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

static size_t index_at(uintptr_t address, unsigned level) {
    return (uint64_t)address >> LEVEL_SHIFT(level) & (TABLE_ENTRIES - 1);
}

static bool is_table(uint64_t entry) {
    return (entry & PTE_PRESENT) && !(entry & PTE_LARGE);
}

/* Makes entry, of that level, one that points to a table: of the same smaller pages where it is a
 * page, else an empty one. */
static void make_table(uint64_t *entry, unsigned level) {
    uint64_t *table = new_table();
    if (*entry & PTE_PRESENT) {
        uint64_t first = level - 1 == LEVEL_PAGE ? *entry & ~PTE_LARGE : *entry;
        for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
            table[i] = first + (i << LEVEL_SHIFT(level - 1));
    }
    *entry = (uintptr_t)table | (level == LEVEL_ROOT ? ROOT_ENTRY_FLAGS : TABLE_FLAGS);
}

/* The entry of that level for the address, after splitting what is larger. */
static uint64_t *entry_at(uintptr_t address, unsigned wanted) {
    uint64_t *entry = &root[index_at(address, LEVEL_ROOT)];
    for (unsigned level = LEVEL_ROOT; level > wanted; level--) {
        if (!is_table(*entry))
            make_table(entry, level);
        entry = &table_of(*entry)[index_at(address, level - 1)];
    }
    return entry;
}

/* The entry that decides about the address: of a page, or absent. */
static uint64_t deciding_entry(uintptr_t address) {
    uint64_t entry = root[index_at(address, LEVEL_ROOT)];
    for (unsigned level = LEVEL_ROOT; level > LEVEL_PAGE && is_table(entry); level--)
        entry = table_of(entry)[index_at(address, level - 1)];
    return entry;
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

/* Does a page of that level fit, aligned, and no table stand in its place? Tables stay: what was
 * split once will be again. */
static bool can_map(unsigned level, uintptr_t address, uintptr_t left) {
    if (level == LEVEL_GIB && (LEVEL_ROOT == LEVEL_GIB || !cpu_info()->gib_pages))
        return false;
    return address / PAGE_SIZE % LEVEL_PAGES(level) == 0 && left >= LEVEL_PAGES(level) &&
           (level == LEVEL_PAGE || !is_table(*entry_at(address, level)));
}

void paging_set(uintptr_t start, uintptr_t pages, unsigned flags) {
    uintptr_t address = start, left = pages;
    while (left > 0) {
        unsigned level = LEVEL_GIB;
        while (!can_map(level, address, left))
            level--;
        uint64_t entry = leaf(address, flags);
        *entry_at(address, level) = entry != 0 && level > LEVEL_PAGE ? entry | PTE_LARGE : entry;
        address += LEVEL_PAGES(level) * PAGE_SIZE;
        left -= LEVEL_PAGES(level);
    }
    flush(start, pages);
    if (active)
        fill_stock();
}

void paging_start(void) {
    paging_activate(root);
    active = true;
    fill_stock();
}

void paging_create(void) {
    root = new_table();
    /* A changed PAE PDPTE takes effect only when CR3 is loaded: have all four from the start. */
    for (unsigned i = 0; LEVEL_ROOT == LEVEL_DIRECTORY + 1 && i < ROOT_ENTRIES; i++)
        entry_at((uintptr_t)i << LEVEL_SHIFT(LEVEL_ROOT), LEVEL_ROOT - 1);
}

uint64_t *paging_root(void) {
    return root;
}

void paging_share(uint64_t *to) {
    memcpy(to, root, sizeof(*to) << (PAGING_ADDRESS_BITS - LEVEL_SHIFT(LEVEL_ROOT)));
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
    return flags_of(deciding_entry(address));
}

/* Panics when an entry below table breaks a rule; base: address that the table's first entry
 * covers. */
static void check_table(const uint64_t *table, unsigned level, uint64_t base) {
    unsigned entries = level == LEVEL_ROOT ? ROOT_ENTRIES : TABLE_ENTRIES;
    for (unsigned i = 0; i < entries; i++) {
        uint64_t entry = table[i], address = base + ((uint64_t)i << LEVEL_SHIFT(level));
        if (!(entry & PTE_PRESENT))
            continue;
        if (level > LEVEL_PAGE && is_table(entry)) {
            check_table(table_of(entry), level - 1, address);
            continue;
        }
        uint64_t wrong = PTE_ADDRESS & ~((1ull << LEVEL_SHIFT(level)) - 1);
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

static void count_pages(const uint64_t *table, unsigned level, size_t counts[PAGING_SIZES]) {
    unsigned entries = level == LEVEL_ROOT ? ROOT_ENTRIES : TABLE_ENTRIES;
    for (unsigned i = 0; i < entries; i++) {
        if (level > LEVEL_PAGE && is_table(table[i]))
            count_pages(table_of(table[i]), level - 1, counts);
        else if (table[i] & PTE_PRESENT)
            counts[level]++;
    }
}

void paging_count(size_t counts[PAGING_SIZES]) {
    memset(counts, 0, PAGING_SIZES * sizeof(counts[0]));
    count_pages(root, LEVEL_ROOT, counts);
}
