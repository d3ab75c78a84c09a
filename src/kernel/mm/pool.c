/* pool.c - a pool is a list of extents, lowest address first, that together are the chunks of pages
 * it has: each is free or a block. Two free ones of the same chunk are never neighbours, and no
 * chunk is free as a whole. */
#include "mm/pool.h"

#include <stdbool.h>

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/poison.h"

#define BELOW_2_GIB 0x80000000u /* what a sign-extended 32-bit address reaches (-mcmodel=small) */
#define CHUNK_PAGES 64u         /* at least, where there is so much memory */

struct extent {
    struct extent *next, *previous;
    uint8_t *start;
    size_t size;
    bool used;
    bool opens; /* the first of its chunk */
};

static struct pool {
    const char *const name;
    const enum page_use use;
    const size_t granule;
    const uint8_t junk;
    struct extent *first;
    size_t reserved, used, peak;
    uint64_t allocations, failures;
} pools[POOL_KINDS] = {
    [POOL_CODE] = {.name = "code", .use = PAGES_CODE, .granule = PAGE_SIZE, .junk = 0xcc},
    [POOL_DATA] = {.name = "data", .use = PAGES_DATA, .granule = PAGE_SIZE, .junk = 0xd7},
    [POOL_METADATA] = {.name = "metadata", .use = PAGES_METADATA, .granule = 64, .junk = 0xd7},
};

static size_t round_up(size_t value, size_t to) {
    return (value + to - 1) & ~(to - 1);
}

static void insert_before(struct pool *pool, struct extent *e, struct extent *next,
                          struct extent *previous) {
    e->next = next;
    e->previous = previous;
    if (next != NULL)
        next->previous = e;
    if (previous != NULL)
        previous->next = e;
    else
        pool->first = e;
}

static void drop(struct pool *pool, struct extent *e) {
    if (e->next != NULL)
        e->next->previous = e->previous;
    if (e->previous != NULL)
        e->previous->next = e->next;
    else
        pool->first = e->next;
    kfree(e);
}

/* A chunk of its own for such a block; NULL when there is no memory. */
static struct extent *grow(struct pool *pool, size_t size, size_t align) {
    struct extent *e = kzalloc(sizeof(*e));
    size_t pages = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    size_t page_align = align > PAGE_SIZE ? align : PAGE_SIZE;
    uint8_t *memory = NULL;
    if (e == NULL)
        return NULL;
    if (pages < CHUNK_PAGES)
        memory = pages_alloc_for(pool->use, CHUNK_PAGES, page_align, BELOW_2_GIB);
    if (memory != NULL)
        pages = CHUNK_PAGES;
    else
        memory = pages_alloc_for(pool->use, pages, page_align, BELOW_2_GIB);
    if (memory == NULL) {
        kfree(e);
        return NULL;
    }
    *e = (struct extent){.start = memory, .size = pages * PAGE_SIZE, .opens = true};
    poison(e->start, e->size);
    pool->reserved += e->size;
    struct extent *next = pool->first, *previous = NULL;
    while (next != NULL && next->start < memory) {
        previous = next;
        next = next->next;
    }
    insert_before(pool, e, next, previous);
    return e;
}

/* Bytes in front of the first aligned address in e. */
static size_t padding(const struct extent *e, size_t align) {
    return -(uintptr_t)e->start & (align - 1);
}

static struct extent *find(const struct pool *pool, size_t size, size_t align) {
    for (struct extent *e = pool->first; e != NULL; e = e->next)
        if (!e->used && e->size >= size && e->size - size >= padding(e, align))
            return e;
    return NULL;
}

/* The first size bytes of e become an extent of their own, the rest is what part is for. */
static void split(struct pool *pool, struct extent *e, size_t size, struct extent *part) {
    *part = (struct extent){.start = e->start + size, .size = e->size - size};
    e->size = size;
    insert_before(pool, part, e->next, e);
}

/* Cuts the block out of e; NULL, and nothing changed, when there is no memory for the pieces. */
static struct extent *cut(struct pool *pool, struct extent *e, size_t size, size_t align) {
    size_t front = padding(e, align), back = e->size - front - size;
    struct extent *block = front > 0 ? kzalloc(sizeof(*block)) : e;
    struct extent *rest = back > 0 ? kzalloc(sizeof(*rest)) : NULL;
    if (block == NULL || (back > 0 && rest == NULL)) {
        if (block != e)
            kfree(block);
        kfree(rest);
        return NULL;
    }
    if (front > 0)
        split(pool, e, front, block);
    if (back > 0)
        split(pool, block, size, rest);
    return block;
}

static bool is_whole_chunk(const struct extent *e) {
    return e->opens && (e->next == NULL || e->next->opens);
}

static void give_back(struct pool *pool, struct extent *e) {
    pool->reserved -= e->size;
    unpoison(e->start, e->size);
    pages_free(e->start, e->size / PAGE_SIZE);
    drop(pool, e);
}

void *pool_alloc(enum pool_kind kind, size_t size, size_t align) {
    struct pool *pool = &pools[kind];
    KASSERT(align != 0 && (align & (align - 1)) == 0);
    align = align > pool->granule ? align : pool->granule;
    struct extent *block = NULL;
    if (size <= BELOW_2_GIB && align <= BELOW_2_GIB) {
        size = round_up(size > 0 ? size : 1, pool->granule);
        struct extent *e = find(pool, size, align);
        if (e == NULL)
            e = grow(pool, size, align);
        if (e != NULL)
            block = cut(pool, e, size, align);
        if (block == NULL && e != NULL && is_whole_chunk(e))
            give_back(pool, e);
    }
    if (block == NULL) {
        pool->failures++;
        return NULL;
    }
    block->used = true;
    unpoison(block->start, block->size);
    pool->allocations++;
    pool->used += block->size;
    pool->peak = pool->used > pool->peak ? pool->used : pool->peak;
    return block->start;
}

/* Takes the free extent behind e, if there is one in the same chunk, into e. */
static void merge_next(struct pool *pool, struct extent *e) {
    struct extent *next = e->next;
    if (next == NULL || next->used || next->opens)
        return;
    e->size += next->size;
    drop(pool, next);
}

void pool_free(enum pool_kind kind, void *memory) {
    struct pool *pool = &pools[kind];
    struct extent *e = pool->first;
    if (memory == NULL)
        return;
    while (e != NULL && e->start != memory)
        e = e->next;
    if (e == NULL || !e->used)
        panic("pool_free(%s, %p): not a block, or already free", pool->name, memory);
    e->used = false;
    pool->used -= e->size;
    memset(e->start, pool->junk, e->size);
    poison(e->start, e->size);
    merge_next(pool, e);
    if (!e->opens && !e->previous->used) {
        e = e->previous;
        merge_next(pool, e);
    }
    if (is_whole_chunk(e))
        give_back(pool, e);
}

const char *pool_name(enum pool_kind kind) {
    return pools[kind].name;
}

struct pool_stats pool_stats(enum pool_kind kind) {
    const struct pool *pool = &pools[kind];
    struct pool_stats s = {.reserved = pool->reserved,
                           .used = pool->used,
                           .peak = pool->peak,
                           .allocations = pool->allocations,
                           .failures = pool->failures};
    for (const struct extent *e = pool->first; e != NULL; e = e->next) {
        s.blocks += e->used;
        s.free_extents += !e->used;
        if (!e->used && e->size > s.largest_free)
            s.largest_free = e->size;
    }
    return s;
}

static const char *check_extent(const struct pool *pool, const struct extent *e) {
    const struct extent *previous = e->previous;
    if (previous == NULL ? pool->first != e : previous->next != e)
        return "a link is wrong";
    if (!e->opens && (previous == NULL || previous->start + previous->size != e->start))
        return "extents have a gap between them";
    if (!e->opens && !e->used && !previous->used)
        return "free neighbours are not merged";
    if (!e->used && is_whole_chunk(e))
        return "a free chunk was kept";
    if (e->size == 0 || e->size % pool->granule != 0)
        return "an extent has a wrong size";
    return pages_use_at(e->start) != pool->use ? "the pages are not the pool's" : NULL;
}

void pool_check(void) {
    for (unsigned kind = 0; kind < POOL_KINDS; kind++) {
        const struct pool *pool = &pools[kind];
        size_t all = 0, used = 0;
        for (const struct extent *e = pool->first; e != NULL; e = e->next) {
            const char *wrong = check_extent(pool, e);
            if (wrong != NULL)
                panic("pool %s: %s at %p", pool->name, wrong, (void *)e->start);
            all += e->size;
            used += e->used ? e->size : 0;
        }
        if (all != pool->reserved || used != pool->used)
            panic("pool %s: the sums are wrong", pool->name);
    }
}
