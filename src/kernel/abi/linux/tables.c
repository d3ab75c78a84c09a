/* tables.c - page tables of a program (Intel SDM vol. 3A, 4.5), filled as it touches its pages. */
#include "abi/linux/tables.h"

#include "arch/x86/cpu.h"
#include "lib/string.h"
#include "mm/heap.h"

#define PTE_OWNED                                                                                  \
    0x400ull /* ours (ignored by the processor): the page is the program's own, not the file's */
#define LEAVE_PAGES 4096u /* to everybody else */

static size_t index_at(uint64_t address, unsigned level) {
    return address >> LEVEL_SHIFT(level) & (TABLE_ENTRIES - 1);
}

static uint64_t *table_of(uint64_t entry) {
    return (uint64_t *)(uintptr_t)(entry & PTE_ADDRESS);
}

/* A page of its own, zeroed; NULL: it may have no more, or there is none. */
static void *own_page(struct space *space, enum page_use use) {
    if (space->pages >= space->pages_max || pages_available() <= LEAVE_PAGES)
        return NULL;
    void *page = pages_alloc_for(use, 1, PAGE_SIZE, 0);
    if (page == NULL)
        return NULL;
    memset(page, 0, PAGE_SIZE);
    space->pages++;
    if (space->pages > space->pages_peak)
        space->pages_peak = space->pages;
    return page;
}

static void give_back(struct space *space, void *page) {
    pages_free(page, 1);
    space->pages--;
}

bool space_create(struct space *space, size_t pages_max) {
    memset(space, 0, sizeof(*space));
    space->pages_max = pages_max;
    space->regions = kcalloc(SPACE_REGIONS_MAX, sizeof(space->regions[0]));
    space->root = space->regions != NULL ? own_page(space, PAGES_TABLES) : NULL;
    if (space->root != NULL)
        paging_share(space->root);
    return space->root != NULL;
}

static void free_table(struct space *space, uint64_t *table, unsigned level, size_t first) {
    for (size_t i = first; i < TABLE_ENTRIES; i++) {
        if (level > LEVEL_PAGE && table[i] & PTE_PRESENT)
            free_table(space, table_of(table[i]), level - 1, 0);
        else if (table[i] & PTE_OWNED)
            give_back(space, table_of(table[i]));
    }
    give_back(space, table);
}

void space_destroy(struct space *space) {
    if (space->root != NULL)
        free_table(space, space->root, LEVEL_ROOT, index_at(SPACE_START, LEVEL_ROOT));
    kfree(space->regions);
    memset(space, 0, sizeof(*space));
}

/* The entry of the page; NULL: there is no table for it, nor, with make, memory for one. */
static uint64_t *entry_of(struct space *space, uint64_t address, bool make) {
    uint64_t *table = space->root;
    for (unsigned level = LEVEL_ROOT; level > LEVEL_PAGE; level--) {
        uint64_t *entry = &table[index_at(address, level)];
        if (!(*entry & PTE_PRESENT)) {
            void *fresh = make ? own_page(space, PAGES_TABLES) : NULL;
            if (fresh == NULL)
                return NULL;
            *entry = (uintptr_t)fresh | TABLE_FLAGS;
        }
        table = table_of(*entry);
    }
    return &table[index_at(address, LEVEL_PAGE)];
}

static uint64_t rights(unsigned flags) {
    if (flags & PAGE_NONE)
        return 0;
    return PTE_PRESENT | PTE_USER | (flags & PAGE_W ? PTE_WRITE : 0) |
           (!(flags & PAGE_X) && cpu_info()->nx ? PTE_NX : 0);
}

/* The next page behind address that may have a table, where this one has none. */
static uint64_t next_page(const uint64_t *entry, uint64_t address) {
    uint64_t step = entry != NULL ? PAGE_SIZE : 1ull << LEVEL_SHIFT(LEVEL_DIRECTORY);
    return (address & ~(step - 1)) + step;
}

void tables_clear(struct space *space, uint64_t start, uint64_t end) {
    uint64_t *entry;
    for (uint64_t at = start; at < end; at = next_page(entry, at)) {
        entry = entry_of(space, at, false);
        if (entry == NULL)
            continue;
        uint64_t old = *entry;
        *entry = 0;
        if (old & PTE_OWNED)
            give_back(space, table_of(old));
    }
    space_flush(start, end);
}

/* A page of the file is not the program's to write: it gets one of its own when it does. */
void tables_protect(struct space *space, uint64_t start, uint64_t end, unsigned flags) {
    uint64_t *entry;
    for (uint64_t at = start; at < end; at = next_page(entry, at)) {
        entry = entry_of(space, at, false);
        if (entry == NULL)
            continue;
        if (*entry & PTE_OWNED)
            *entry = (*entry & PTE_ADDRESS) | PTE_OWNED | rights(flags);
        else
            *entry = 0;
    }
    space_flush(start, end);
}

/* The page as it is at first: of the file itself where all of it is there, to be read only. */
static uint64_t first_content(struct space *space, const struct region *region, uint64_t address) {
    uint64_t at = address - region->start;
    uint64_t left = at < region->source_size ? region->source_size - at : 0;
    if (left >= PAGE_SIZE && !(region->flags & PAGE_W))
        return (uintptr_t)region->source + at;
    uint8_t *page = own_page(space, PAGES_PROCESS);
    if (page == NULL)
        return 0;
    if (left > 0)
        memcpy(page, region->source + at, left < PAGE_SIZE ? left : PAGE_SIZE);
    return (uintptr_t)page | PTE_OWNED;
}

enum space_result space_touch(struct space *space, uint64_t address, unsigned access,
                              uint8_t **page) {
    const struct region *region = space_region(space, address);
    if (region == NULL || region->flags & PAGE_NONE || (access & ~region->flags) != 0)
        return SPACE_FORBIDDEN;
    uint64_t *entry = entry_of(space, address, true);
    if (entry == NULL)
        return SPACE_NO_MEMORY;
    if (*entry == 0) {
        uint64_t content = first_content(space, region, address & ~(uint64_t)(PAGE_SIZE - 1));
        if (content == 0)
            return SPACE_NO_MEMORY;
        *entry = content | rights(region->flags);
    }
    if (page != NULL)
        *page = (uint8_t *)table_of(*entry);
    return SPACE_OK;
}

/* Calls for each page that a copy touches: the part of it. */
static enum space_result copy(struct space *space, uint64_t address, uint8_t *bytes, size_t size,
                              unsigned access) {
    if (size > 0 && (address >= SPACE_END || size > SPACE_END - address))
        return SPACE_FORBIDDEN;
    while (size > 0) {
        uint8_t *page;
        size_t at = address % PAGE_SIZE, n = PAGE_SIZE - at < size ? PAGE_SIZE - at : size;
        enum space_result result = space_touch(space, address, access, &page);
        if (result != SPACE_OK)
            return result;
        if (access & PAGE_W)
            memcpy(page + at, bytes, n);
        else
            memcpy(bytes, page + at, n);
        address += n;
        bytes += n;
        size -= n;
    }
    return SPACE_OK;
}

enum space_result space_read(struct space *space, void *to, uint64_t from, size_t size) {
    return copy(space, from, to, size, PAGE_R);
}

enum space_result space_write(struct space *space, uint64_t to, const void *from, size_t size) {
    return copy(space, to, (uint8_t *)(uintptr_t)from, size, PAGE_W);
}
