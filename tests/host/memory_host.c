/* memory_host.c - random requests to each of the kernel's allocators, compared with what plain
 * tables know of them: places, contents, and every number that the allocator tells of itself.
 *
 *     memory_host pages|heap|pool OPERATIONS SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_env.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/pool.h"

#define SLOTS 512u
#define CHECK_EVERY 1024u
#define PACKED_RUN 272u /* pages: 1 MiB and a bit */

struct block {
    uint8_t *at;
    size_t size; /* bytes */
    uint8_t mark;
    unsigned owner; /* an account, a pool */
};

static struct block blocks[SLOTS];

/* A size whose magnitude is random. */
static size_t random_size(uint64_t *seed, unsigned bits) {
    return memory_random(seed) & (((size_t)1 << memory_random(seed) % (bits + 1)) - 1);
}

static size_t random_align(uint64_t *seed, unsigned bits) {
    return (size_t)1 << (memory_random(seed) % 4 == 0 ? memory_random(seed) % (bits + 1) : 0);
}

static void fill(struct block *block, uint64_t *seed) {
    block->mark = (uint8_t)memory_random(seed);
    memset(block->at, block->mark, block->size);
}

static void expect_content(const struct block *block, size_t size) {
    for (size_t i = 0; i < size; i++)
        memory_expect(block->at[i] == block->mark, "a block keeps its content");
}

static bool overlaps(const struct block *a, const struct block *b) {
    return a->at < b->at + b->size && b->at < a->at + a->size;
}

static void expect_apart(const struct block *block) {
    for (size_t i = 0; i < SLOTS; i++)
        memory_expect(&blocks[i] == block || blocks[i].at == NULL || !overlaps(block, &blocks[i]),
                      "no byte is given out twice");
}

/* ---- pages */

static size_t run_pages(uint64_t *seed) {
    uint64_t kind = memory_random(seed) % 100;
    if (kind < 60)
        return 1;
    return 1 + memory_random(seed) % (kind < 97 ? 40 : 3000);
}

static bool take_pages(struct block *run, uint64_t *seed) {
    size_t align = PAGE_SIZE * random_align(seed, 10), before = pages_available();
    uint64_t below = memory_random(seed) % 8 == 0
                         ? MEMORY_BASE + memory_random(seed) % 64 * (1u << 20) + PAGE_SIZE
                         : 0;
    size_t count = run_pages(seed);
    run->size = count * PAGE_SIZE;
    run->at = pages_alloc_for(PAGES_MODEL, count, align, below);
    if (run->at == NULL) {
        memory_expect(pages_available() == before, "a refusal takes nothing");
        return false;
    }
    memory_expect((uintptr_t)run->at % align == 0, "alignment");
    memory_expect(below == 0 || (uintptr_t)run->at + run->size <= below, "the limit");
    memory_expect(pages_available() == before - count, "no page more than asked for");
    memory_expect(pages_use_at(run->at) == PAGES_MODEL, "what a page is for");
    for (size_t page = 0; page < count; page++)
        memory_expect(pages_is_ram((uintptr_t)run->at + page * PAGE_SIZE, 1), "RAM");
    run->mark = (uint8_t)memory_random(seed);
    for (size_t i = 0; i < run->size; i += PAGE_SIZE / 2)
        run->at[i] = run->mark;
    return true;
}

/* Sometimes in two parts, the tail first: a loader that needs less than it thought. */
static void give_pages(struct block *run, uint64_t *seed) {
    size_t count = run->size / PAGE_SIZE;
    size_t part = memory_random(seed) % 4 == 0 ? memory_random(seed) % count : 0;
    for (size_t i = 0; i < run->size; i += PAGE_SIZE / 2)
        memory_expect(run->at[i] == run->mark, "a page keeps its content");
    if (part != 0)
        pages_free(run->at + part * PAGE_SIZE, count - part);
    pages_free(run->at, part != 0 ? part : count);
    run->at = NULL;
}

static size_t live_bytes(unsigned owner, size_t *count) {
    size_t bytes = 0;
    *count = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        if (blocks[i].at == NULL || blocks[i].owner != owner)
            continue;
        bytes += blocks[i].size;
        ++*count;
    }
    return bytes;
}

static void check_pages(void) {
    size_t count;
    pages_check();
    memory_expect(pages_used_for(PAGES_MODEL) * PAGE_SIZE == live_bytes(0, &count), "the sum");
}

/* ---- heap: two accounts, that of the kernel and another */

static unsigned accounts[2];
static size_t peak[2];

static void note_peak(unsigned owner) {
    size_t count, live = live_bytes(owner, &count);
    peak[owner] = live > peak[owner] ? live : peak[owner];
}

static size_t heap_size(uint64_t *seed) {
    return random_size(seed, memory_random(seed) % 32 == 0 ? 21 : 13);
}

static bool take_heap(struct block *block, uint64_t *seed) {
    size_t align = random_align(seed, 13);
    block->size = heap_size(seed);
    block->owner = memory_random(seed) % 2;
    block->at = heap_alloc(block->size, align, accounts[block->owner]);
    if (block->at == NULL)
        return false;
    memory_expect((uintptr_t)block->at % (align > 16 ? align : 16) == 0, "alignment");
    fill(block, seed);
    note_peak(block->owner);
    return true;
}

static void give_heap(struct block *block, uint64_t *seed) {
    expect_content(block, block->size);
    memory_expect(heap_misuse(block->at) == NULL, "a live block is sound");
    memory_expect(heap_misuse(block->at + 16) != NULL, "no block starts in another");
    if (memory_random(seed) % 3 == 0) {
        size_t size = heap_size(seed), old = block->size;
        uint8_t *fresh = heap_realloc(block->at, size, accounts[block->owner]);
        if (fresh == NULL)
            return;
        *block = (struct block){fresh, size, block->mark, block->owner};
        expect_content(block, old < size ? old : size);
        fill(block, seed);
        return;
    }
    uint8_t *at = block->at;
    kfree(at);
    block->at = NULL;
    memory_expect(heap_misuse(at) != NULL, "a block is freed once");
}

static void check_heap(void) {
    size_t count, sum = 0;
    heap_check();
    pages_check();
    for (unsigned owner = 0; owner < 2; owner++) {
        const struct heap_account *account = heap_account(accounts[owner]);
        size_t live = live_bytes(owner, &count);
        memory_expect(account->live == live && account->blocks == count, "an account is right");
        memory_expect(account->peak >= peak[owner], "a peak is not forgotten");
        sum += live;
    }
    memory_expect(heap_used() == sum, "the sum of the accounts");
}

/* ---- pools */

static size_t granule_of(unsigned kind) {
    return kind == POOL_METADATA ? 64 : PAGE_SIZE;
}

static bool take_pool(struct block *block, uint64_t *seed) {
    size_t align = random_align(seed, 15), size = random_size(seed, 17) + 1;
    block->owner = memory_random(seed) % POOL_KINDS;
    block->at = pool_alloc((enum pool_kind)block->owner, size, align);
    if (block->at == NULL)
        return false;
    size_t granule = granule_of(block->owner);
    block->size = (size + granule - 1) / granule * granule;
    memory_expect((uintptr_t)block->at % align == 0, "alignment");
    memory_expect((uintptr_t)block->at % granule == 0, "pages that nothing else is in");
    memory_expect((uintptr_t)block->at + size <= 1u << 31, "32-bit addresses");
    fill(block, seed);
    return true;
}

static void give_pool(struct block *block, uint64_t *seed) {
    (void)seed;
    expect_content(block, block->size);
    pool_free((enum pool_kind)block->owner, block->at);
    block->at = NULL;
}

static void check_pool(void) {
    pool_check();
    pages_check();
    for (unsigned kind = 0; kind < POOL_KINDS; kind++) {
        struct pool_stats s = pool_stats((enum pool_kind)kind);
        size_t count, live = live_bytes(kind, &count);
        memory_expect(s.used == live && s.blocks == count, "a pool counts its blocks");
        memory_expect(s.peak >= s.used && s.reserved >= s.used, "peak and pages");
        memory_expect(s.largest_free <= s.reserved - s.used, "what is free");
        memory_expect(live > 0 || s.reserved == 0, "an empty pool has no pages");
    }
}

static const struct allocator {
    const char *name;
    bool (*take)(struct block *block, uint64_t *seed);
    void (*give)(struct block *block, uint64_t *seed); /* back, or changes it */
    void (*check)(void);
} allocators[] = {
    {"pages", take_pages, give_pages, check_pages},
    {"heap", take_heap, give_heap, check_heap},
    {"pool", take_pool, give_pool, check_pool},
};

static void run(const struct allocator *a, size_t operations, uint64_t seed) {
    size_t before = pages_available(), refused = 0;
    for (size_t i = 0; i < operations; i++) {
        struct block *block = &blocks[memory_random(&seed) % SLOTS];
        if (block->at != NULL)
            a->give(block, &seed);
        else if (!a->take(block, &seed))
            refused++;
        if (i % CHECK_EVERY != 0)
            continue;
        a->check();
        for (size_t n = 0; n < SLOTS; n++)
            if (blocks[n].at != NULL)
                expect_apart(&blocks[n]);
    }
    for (size_t i = 0; i < SLOTS; i++)
        while (blocks[i].at != NULL)
            a->give(&blocks[i], &seed);
    a->check();
    /* A slab of each class is kept for the next block of it. */
    size_t kept = pages_used_for(PAGES_SLABS);
    memory_expect(pages_available() + kept == before && kept <= 14 * 4, "all pages come back");
    printf("%s: %zu operations, %zu refused\n", a->name, operations, refused);
}

/* A run of more than half of the memory, as a model file is, leaves the rest. */
static void large(void) {
    size_t before = pages_available(), count = before * 11 / 20;
    uint8_t *first = pages_alloc_for(PAGES_MODEL, count, LARGE_PAGE_SIZE, 0);
    memory_expect(first != NULL, "a run longer than any block");
    memory_expect(pages_available() == before - count, "nothing is rounded up");
    pages_free(first, count);
    pages_check();
    printf("large: %zu of %zu pages\n", count, before);
}

/* Runs a little longer than a block, as the layers of a context are, until there is no more room:
 * the gaps between ranges of memory and at their ends are all that is lost. */
static void packed(void) {
    const size_t before = pages_available(), count = PACKED_RUN;
    size_t taken = 0;
    while (taken < SLOTS && (blocks[taken].at = pages_alloc(count, PAGE_SIZE, 0)) != NULL)
        taken++;
    memory_expect(taken > 1 && taken < SLOTS, "several runs, and an end");
    memory_expect(pages_available() < 3 * count, "runs are put one behind the other");
    printf("packed: %zu runs, %zu of %zu pages left\n", taken, pages_available(), before);
    while (taken > 0)
        pages_free(blocks[--taken].at, count);
    memory_expect(pages_available() == before, "all are given back");
    pages_check();
}

static void page_twice(void) {
    uint8_t *first = pages_alloc(3, PAGE_SIZE, 0);
    pages_free(first + PAGE_SIZE, 1);
    pages_free(first, 3);
}

static void foreign_page(void) {
    pages_free((void *)(uintptr_t)PAGE_SIZE, 1);
}

static void pool_twice(void) {
    void *kept = pool_alloc(POOL_METADATA, 100, 1), *block = pool_alloc(POOL_METADATA, 100, 1);
    memory_expect(kept != NULL && block != NULL, "memory");
    pool_free(POOL_METADATA, block);
    pool_free(POOL_METADATA, block);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"large", large},           {"packed", packed},
    {"page-twice", page_twice}, {"foreign-page", foreign_page},
    {"pool-twice", pool_twice},
};

int main(int argc, char **argv) {
    size_t operations = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    memory_expect(argc > 1, "a scenario");
    memory_start();
    accounts[0] = HEAP_KERNEL;
    accounts[1] = heap_open_account();
    for (size_t i = 0; i < sizeof allocators / sizeof allocators[0]; i++)
        if (strcmp(argv[1], allocators[i].name) == 0)
            run(&allocators[i], operations, seed);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0)
            scenarios[i].run();
    return EXIT_SUCCESS;
}
