/* test_memory.c - .bss, E820, pages, heap, protection. */
#include <stdint.h>

#include "arch/x86/sections.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/e820.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "mm/poison.h"
#include "selftest/selftest.h"

#define UNTOUCHED_SIZE 65536u
#define SLOTS 64u

static uint8_t
    untouched[UNTOUCHED_SIZE]; /* nobody writes here: only the entry code can make it zero */

static bool test_bss(char *why, size_t size) {
    const volatile uint8_t *bytes = untouched;
    EXPECT((char *)untouched >= kernel_bss_start &&
           (char *)untouched + UNTOUCHED_SIZE <= kernel_bss_end);
    for (size_t i = 0; i < UNTOUCHED_SIZE; i++)
        EXPECT(bytes[i] == 0);
    return true;
}

/* What if the firmware's map is unsorted, overlaps, has empty, odd and endless entries? */
static bool test_e820(char *why, size_t size) {
    static struct e820_range r[E820_RANGES_MAX];
    static const struct e820_entry map[] = {
        {0x800000, 0x800000, E820_USABLE, 1},           /* 8 .. 16 MiB, before its predecessor */
        {0x100000, 0x700000, E820_USABLE, 1},           /* 1 .. 8 MiB: touches the first */
        {0x300800, 0x1000, 2, 1},                       /* hole of two half pages */
        {0x400000, 0, 2, 1},                            /* empty */
        {0xc00000, 0x800000, E820_USABLE, 1},           /* 12 .. 20 MiB: overlaps */
        {0x1800800, 0x2000, E820_USABLE, 1},            /* one whole page and two parts */
        {0x2000000, 0x10000, E820_USABLE, 1},           /* reserved and usable: */
        {0x2000000, 0x10000, 3, 1},                     /* reserved wins */
        {0xffffffff00000000ull, ~0ull, E820_USABLE, 1}, /* runs past 2^64 */
        {0x3000000, 0x800, E820_USABLE, 1},             /* less than a page */
    };
    unsigned n = e820_usable(map, sizeof(map) / sizeof(map[0]), 256, 1ull << 40, r);
    EXPECT(n == 3);
    EXPECT(r[0].first == 0x100 && r[0].count == 0x200);
    EXPECT(r[1].first == 0x302 && r[1].count == 0x1400 - 0x302);
    EXPECT(r[2].first == 0x1801 && r[2].count == 1);
    EXPECT(e820_usable(map, 2, 256, 0x900, r) == 1 && r[0].count == 0x800);
    EXPECT(e820_usable(map + 8, 1, 256, UINT64_MAX / PAGE_SIZE, r) == 1);
    EXPECT(r[0].first == 0xffffffff00000ull);
    EXPECT(e820_usable(map, 0, 256, 0x900, r) == 0);
    return true;
}

/* A byte of memory that may be free already. */
POISON_IGNORED static uint8_t peek(const volatile uint8_t *byte) {
    return *byte;
}

static bool test_pages(char *why, size_t size) {
    size_t before = pages_available();
    EXPECT(pages_total() >= before && before > 0);
    EXPECT(pages_alloc(0, PAGE_SIZE, 0) == NULL);
    EXPECT(pages_alloc(before + 1, PAGE_SIZE, 0) == NULL);
    EXPECT(pages_alloc(1, PAGE_SIZE, 0x100000) == NULL); /* the first MiB is not given out */
    uint8_t *one = pages_alloc(1, PAGE_SIZE, 0);
    uint8_t *two = pages_alloc(1, PAGE_SIZE, 0);
    uint8_t *large = pages_alloc(700, LARGE_PAGE_SIZE, 0);
    EXPECT(one != NULL && two != NULL && large != NULL && one != two);
    EXPECT((uintptr_t)large % LARGE_PAGE_SIZE == 0 && pages_available() == before - 702);
    EXPECT((char *)one < kernel_start || (char *)one >= kernel_end);
    memset(large, 0x77, 700 * PAGE_SIZE);
    one[0] = 1;
    pages_free(one, 1);
    EXPECT(peek(one) != 1); /* junk */
    EXPECT(pages_use_at(one) == PAGES_FREE && pages_use_at(two) == PAGES_DMA);
    pages_free(two, 1);
    pages_free(large, 300); /* in two parts, not as it was given out */
    pages_free(large + 300 * PAGE_SIZE, 400);
    EXPECT(pages_available() == before);
    pages_check();
    return true;
}

static bool filled(const uint8_t *memory, size_t n, uint8_t byte) {
    for (size_t i = 0; i < n; i++)
        if (memory[i] != byte)
            return false;
    return true;
}

/* Sizes from bytes to pages, freed in another order than allocated, never disturb each other. */
static bool test_heap(char *why, size_t size) {
    static uint8_t *slot[SLOTS];
    static size_t length[SLOTS];
    size_t before = heap_used();
    uint32_t random = 12345;
    memset(slot, 0, sizeof(slot));
    for (unsigned round = 0; round < 2000; round++) {
        random = random * 1664525 + 1013904223;
        unsigned i = random >> 8 & (SLOTS - 1);
        if (slot[i] != NULL) {
            EXPECT(filled(slot[i], length[i], (uint8_t)i));
            kfree(slot[i]);
            slot[i] = NULL;
            continue;
        }
        length[i] = random >> 16 & (random & 1 ? 0x3fff : 0xff);
        slot[i] = kmalloc(length[i]);
        EXPECT(slot[i] != NULL && (uintptr_t)slot[i] % 16 == 0);
        memset(slot[i], (int)i, length[i]);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        kfree(slot[i]);
    EXPECT(heap_used() == before);
    for (size_t align = 1; align <= LARGE_PAGE_SIZE; align *= 2) {
        uint8_t *memory = kzalloc_aligned(100, align);
        EXPECT(memory != NULL && (uintptr_t)memory % align == 0 && filled(memory, 100, 0));
        kfree(memory);
    }
    uint8_t *huge = kzalloc(LARGE_PAGE_SIZE + 1);
    EXPECT(huge != NULL && (uintptr_t)huge % LARGE_PAGE_SIZE == 0 && huge[LARGE_PAGE_SIZE] == 0);
    kfree(huge);
    EXPECT(kmalloc(SIZE_MAX) == NULL && kmalloc(SIZE_MAX - 2 * PAGE_SIZE) == NULL);
    EXPECT(heap_used() == before);
    return true;
}

/* Protecting a part of a 2 MiB page changes the page that was asked for and no other. */
static bool test_protection(char *why, size_t size) {
    uint8_t *large = pages_alloc(LARGE_PAGE_SIZE / PAGE_SIZE, LARGE_PAGE_SIZE, 0);
    EXPECT(large != NULL);
    memset(large, 0x42, LARGE_PAGE_SIZE);
    paging_protect(large + PAGE_SIZE, PAGE_SIZE, PAGE_NONE);
    paging_protect(large + 2 * PAGE_SIZE, PAGE_SIZE, PAGE_R);
    EXPECT(paging_query(large) == PAGE_W && paging_query(large + PAGE_SIZE) == PAGE_NONE);
    EXPECT(paging_query(large + 2 * PAGE_SIZE) == PAGE_R && large[2 * PAGE_SIZE] == 0x42);
    EXPECT(paging_query(large + 3 * PAGE_SIZE) == PAGE_W);
    paging_protect(large, LARGE_PAGE_SIZE, PAGE_W);
    EXPECT(filled(large, LARGE_PAGE_SIZE, 0x42));
    pages_free(large, LARGE_PAGE_SIZE / PAGE_SIZE);
    paging_check();
    return true;
}

/* What if a block grows out of its class and page, shrinks, or its size overflows? */
static bool test_realloc(char *why, size_t size) {
    size_t before = heap_used();
    uint8_t *memory = krealloc(NULL, 10);
    EXPECT(memory != NULL && heap_used() == before + 10);
    memset(memory, 0x5a, 10);
    for (size_t n = 11; n < 3 * PAGE_SIZE; n += 997) {
        memory = krealloc(memory, n);
        EXPECT(memory != NULL && heap_used() >= before + n && filled(memory, 10, 0x5a));
    }
    memory = krealloc(memory, 4);
    EXPECT(memory != NULL && filled(memory, 4, 0x5a) && heap_used() == before + 4);
    EXPECT(krealloc(memory, SIZE_MAX) == NULL && filled(memory, 4, 0x5a)); /* still there */
    kfree(memory);
    memory = kcalloc(25, 4);
    EXPECT(memory != NULL && filled(memory, 100, 0));
    kfree(memory);
    EXPECT(kcalloc(SIZE_MAX / 2, 3) == NULL && heap_used() == before);
    return true;
}

const struct selftest selftests_memory[] = {
    {"bss", test_bss},   {"e820", test_e820},       {"pages", test_pages},
    {"heap", test_heap}, {"realloc", test_realloc}, {"protection", test_protection},
    {NULL, NULL},
};
