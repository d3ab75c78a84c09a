/* test_allocators.c - random requests to each allocator: what is given out is aligned, not given
 * out twice and not changed by anyone else, and every invariant holds in between. Each run goes on
 * with other numbers than the one before. */
#include <stdint.h>

#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/pool.h"
#include "selftest/selftest.h"

#define OPERATIONS 10000u
#define CHECK_EVERY 1024u
#define SLOTS 96u

static uint32_t state = 1;

/* Numerical Recipes' linear congruential generator; its upper bits are the better ones. */
static uint32_t next_random(void) {
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

/* A number below 2^bits whose magnitude is random, too. */
static uint32_t random_size(unsigned bits) {
    return next_random() & ((1u << (1 + next_random() % bits)) - 1);
}

/* Marks for the first and last bytes: memory of megabytes need not be written to as a whole. */
static void mark(uint8_t *memory, size_t length, uint8_t with) {
    size_t n = length < 64 ? length : 64;
    memset(memory, with, n);
    memset(memory + length - n, with, n);
}

static bool marked(const uint8_t *memory, size_t length, uint8_t with) {
    size_t n = length < 64 ? length : 64;
    for (size_t i = 0; i < n; i++)
        if (memory[i] != with || memory[length - 1 - i] != with)
            return false;
    return true;
}

/* Runs of 1 page to some MiB, aligned up to 2 MiB, also with a limit, given back in parts. */
static bool test_pages_storm(char *why, size_t size) {
    static struct {
        uint8_t *memory;
        size_t pages;
    } run[SLOTS];
    size_t before = pages_available();
    for (unsigned n = 0; n < OPERATIONS; n++) {
        unsigned i = next_random() % SLOTS;
        if (run[i].memory == NULL) {
            size_t align = (size_t)PAGE_SIZE << next_random() % 10;
            uint64_t below = next_random() % 4 == 0 ? 1u << 31 : 0;
            run[i].pages = random_size(9) + 1;
            run[i].memory = pages_alloc(run[i].pages, align, below);
            if (run[i].memory == NULL)
                continue; /* a small machine */
            EXPECT((uintptr_t)run[i].memory % align == 0);
            EXPECT(below == 0 || (uintptr_t)run[i].memory + run[i].pages * PAGE_SIZE <= below);
            mark(run[i].memory, run[i].pages * PAGE_SIZE, (uint8_t)i);
        } else {
            EXPECT(marked(run[i].memory, run[i].pages * PAGE_SIZE, (uint8_t)i));
            size_t part = next_random() % run[i].pages;
            if (part > 0)
                pages_free(run[i].memory, part);
            pages_free(run[i].memory + part * PAGE_SIZE, run[i].pages - part);
            run[i].memory = NULL;
        }
        if (n % CHECK_EVERY == 0)
            pages_check();
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (run[i].memory != NULL)
            pages_free(run[i].memory, run[i].pages);
        run[i].memory = NULL;
    }
    pages_check();
    EXPECT(pages_available() == before);
    return true;
}

/* Blocks of every size class and beyond, grown and shrunk, on two accounts. */
static bool test_heap_storm(char *why, size_t size) {
    static struct {
        uint8_t *memory;
        size_t length;
    } block[SLOTS];
    size_t used = heap_used();
    unsigned account = heap_open_account();
    for (unsigned n = 0; n < OPERATIONS; n++) {
        unsigned i = next_random() % SLOTS, owner = i % 2 ? account : HEAP_KERNEL;
        if (block[i].memory == NULL) {
            size_t align = (size_t)1 << next_random() % (next_random() % 16 ? 5 : 14);
            block[i].length = random_size(next_random() % 16 ? 12 : 17);
            block[i].memory = heap_alloc(block[i].length, align, owner);
            if (block[i].memory == NULL)
                continue;
            EXPECT((uintptr_t)block[i].memory % (align > 16 ? align : 16) == 0);
            mark(block[i].memory, block[i].length, (uint8_t)i);
            continue;
        }
        EXPECT(heap_misuse(block[i].memory) == NULL);
        EXPECT(marked(block[i].memory, block[i].length, (uint8_t)i));
        if (next_random() % 4 == 0) {
            size_t length = random_size(14);
            uint8_t *fresh = heap_realloc(block[i].memory, length, owner);
            if (fresh == NULL)
                continue;
            block[i].memory = fresh;
            block[i].length = length;
            mark(fresh, length, (uint8_t)i);
        } else {
            kfree(block[i].memory);
            EXPECT(heap_misuse(block[i].memory) != NULL);
            block[i].memory = NULL;
        }
        if (n % CHECK_EVERY == 0)
            heap_check();
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        kfree(block[i].memory);
        block[i].memory = NULL;
    }
    heap_check();
    EXPECT(heap_used() == used && heap_account(account)->live == 0);
    EXPECT(heap_account(account)->peak > 0 && heap_close_account(account).blocks == 0);
    return true;
}

/* Blocks of some bytes to some hundred KiB in each pool, given back in another order. */
static bool test_pool_storm(char *why, size_t size) {
    static struct {
        uint8_t *memory;
        size_t length;
        enum pool_kind kind;
    } block[SLOTS];
    size_t before = pool_stats(POOL_CODE).used + pool_stats(POOL_DATA).used;
    for (unsigned n = 0; n < OPERATIONS; n++) {
        unsigned i = next_random() % SLOTS;
        if (block[i].memory == NULL) {
            size_t align = (size_t)1 << next_random() % (next_random() % 8 ? 7 : 16);
            block[i].kind = (enum pool_kind)(next_random() % POOL_KINDS);
            block[i].length = random_size(18) + 1;
            block[i].memory = pool_alloc(block[i].kind, block[i].length, align);
            if (block[i].memory == NULL)
                continue;
            EXPECT((uintptr_t)block[i].memory % align == 0);
            mark(block[i].memory, block[i].length, (uint8_t)i);
        } else {
            EXPECT(marked(block[i].memory, block[i].length, (uint8_t)i));
            pool_free(block[i].kind, block[i].memory);
            block[i].memory = NULL;
        }
        if (n % CHECK_EVERY == 0)
            pool_check();
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        pool_free(block[i].kind, block[i].memory);
        block[i].memory = NULL;
    }
    pool_check();
    EXPECT(pool_stats(POOL_CODE).used + pool_stats(POOL_DATA).used == before);
    EXPECT(pool_alloc(POOL_DATA, SIZE_MAX, 1) == NULL);
    EXPECT(pool_alloc(POOL_DATA, 1, (size_t)1 << 31) == NULL); /* no such address below 2 GiB */
    return true;
}

struct taken { /* in the first bytes of each run */
    struct taken *next;
    size_t pages;
};

/* No memory at all: every allocator says so, keeps what it has, and works again afterwards. */
static bool test_exhausted(char *why, size_t size) {
    size_t free = pages_available();
    uint8_t *kept = kmalloc(100), *grown = NULL;
    EXPECT(kept != NULL);
    mark(kept, 100, 7);
    struct taken *list = NULL;
    for (size_t pages = free; pages > 0;) {
        struct taken *run = pages_alloc(pages, PAGE_SIZE, 0);
        if (run == NULL) {
            pages /= 2;
            continue;
        }
        *run = (struct taken){list, pages};
        list = run;
    }
    bool none = pages_available() == 0 && pages_alloc(1, PAGE_SIZE, 0) == NULL;
    bool heap = kmalloc(PAGE_SIZE) == NULL && kzalloc_aligned(1, PAGE_SIZE) == NULL &&
                kcalloc(PAGE_SIZE, 4) == NULL;
    uint64_t failures = pool_stats(POOL_CODE).failures;
    bool pool = pool_alloc(POOL_CODE, 1u << 20, 1) == NULL &&
                pool_stats(POOL_CODE).failures == failures + 1;
    grown = krealloc(kept, 5 * PAGE_SIZE);
    while (list != NULL) {
        struct taken *next = list->next;
        pages_free(list, list->pages);
        list = next;
    }
    EXPECT(none && heap && pool && grown == NULL && marked(kept, 100, 7));
    kfree(kept);
    heap_check();
    pool_check();
    pages_check();
    return true;
}

const struct selftest selftests_allocators[] = {
    {"pages-storm", test_pages_storm},
    {"heap-storm", test_heap_storm},
    {"pool-storm", test_pool_storm},
    {"memory-exhausted", test_exhausted},
    {NULL, NULL},
};
