/* heap.c - kmalloc. Up to SMALL_MAX bytes: a block of a power-of-two size class, with a header in
 * front and a red zone behind. More, or stricter alignment: whole pages, kept in a table apart so
 * that the memory itself can be aligned to 2 MiB.
 *
 * Small blocks never start at a page boundary (the header is there or in front), large ones always
 * do: that is how kfree tells them apart. Small pages stay with their size class. */
#include "mm/heap.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/poison.h"

#define MAGIC_USED 0xa110ca7eu
#define MAGIC_FREE 0xf4eeb10cu
#define RED_ZONE 0x5afe5afeu
#define JUNK 0xd6

#define CLASS_MIN_SHIFT 5 /* 32 bytes: header, 12 bytes, red zone */
#define CLASSES 8         /* 32 .. 4096 */
#define SLAB_PAGES 4
#define BUCKETS 256

struct block {
    uint32_t magic;
    uint32_t class;
    union {
        size_t size;        /* while in use: bytes asked for */
        struct block *next; /* while free */
    };
#ifndef __x86_64__
    uint32_t padding;
#endif
};
_Static_assert(sizeof(struct block) == 16, "keeps kmalloc's memory aligned to 16 bytes");

#define OVERHEAD (sizeof(struct block) + sizeof(uint32_t))
#define SMALL_MAX ((32u << (CLASSES - 1)) - OVERHEAD)

struct large {
    struct large *next;
    void *memory;
    size_t pages, size;
};

static struct block *free_blocks[CLASSES];
static struct large *buckets[BUCKETS];
static size_t used;

static void red_zone_set(void *memory, size_t size) {
    uint32_t zone = RED_ZONE;
    memcpy((char *)memory + size, &zone, sizeof(zone));
    poison((char *)memory + size, sizeof(zone));
}

static void red_zone_check(const void *memory, size_t size) {
    uint32_t zone;
    unpoison((const char *)memory + size, sizeof(zone));
    memcpy(&zone, (const char *)memory + size, sizeof(zone));
    if (zone != RED_ZONE)
        panic("kfree(%p): bytes behind the %zu asked for were overwritten", memory, size);
}

static unsigned class_of(size_t size) {
    unsigned class = 0;
    while (size + OVERHEAD > (size_t)1 << (CLASS_MIN_SHIFT + class))
        class ++;
    return class;
}

static bool refill(unsigned class) {
    size_t block_size = (size_t)1 << (CLASS_MIN_SHIFT + class);
    char *slab = pages_alloc_for(PAGES_HEAP, SLAB_PAGES, PAGE_SIZE, 0);
    if (slab == NULL)
        return false;
    for (size_t at = SLAB_PAGES * PAGE_SIZE; at > 0; at -= block_size) {
        struct block *block = (struct block *)(slab + at - block_size);
        *block = (struct block){.magic = MAGIC_FREE, .class = class, .next = free_blocks[class]};
        free_blocks[class] = block;
        poison(block + 1, block_size - sizeof(*block));
    }
    return true;
}

static void *small_alloc(size_t size) {
    unsigned class = class_of(size);
    if (free_blocks[class] == NULL && !refill(class))
        return NULL;
    struct block *block = free_blocks[class];
    if (block->magic != MAGIC_FREE || block->class != class)
        panic("kmalloc(%zu): the free block at %p was overwritten", size, (void *)block);
    free_blocks[class] = block->next;
    block->magic = MAGIC_USED;
    block->size = size;
    used += size;
    unpoison(block + 1, size + sizeof(uint32_t));
    red_zone_set(block + 1, size);
    return block + 1;
}

static struct block *small_block(void *memory) {
    struct block *block = (struct block *)memory - 1;
    if (block->magic == MAGIC_FREE)
        panic("kfree(%p): already free", memory);
    if (block->magic != MAGIC_USED || block->class >= CLASSES ||
        block->size + OVERHEAD > (size_t)1 << (CLASS_MIN_SHIFT + block->class))
        panic("kfree(%p): not from kmalloc, or its header was overwritten", memory);
    return block;
}

static void small_free(void *memory) {
    struct block *block = small_block(memory);
    red_zone_check(memory, block->size);
    used -= block->size;
    memset(memory, JUNK, block->size);
    poison(memory, block->size + sizeof(uint32_t));
    block->magic = MAGIC_FREE;
    block->next = free_blocks[block->class];
    free_blocks[block->class] = block;
}

static struct large **bucket_of(const void *memory) {
    return &buckets[(uintptr_t)memory / PAGE_SIZE % BUCKETS];
}

/* The rest of the last page holds a red zone if there is room for one. */
static bool has_red_zone(const struct large *large) {
    return large->pages * PAGE_SIZE - large->size >= sizeof(uint32_t);
}

static void *large_alloc(size_t size, size_t align) {
    if (size > SIZE_MAX - PAGE_SIZE)
        return NULL;
    size_t pages = size == 0 ? 1 : (size + PAGE_SIZE - 1) / PAGE_SIZE;
    struct large *large = small_alloc(sizeof(*large));
    void *memory = large != NULL ? pages_alloc_for(PAGES_HEAP, pages, align, 0) : NULL;
    if (memory == NULL) {
        if (large != NULL)
            small_free(large);
        return NULL;
    }
    struct large **bucket = bucket_of(memory);
    *large = (struct large){*bucket, memory, pages, size};
    *bucket = large;
    used += size;
    if (has_red_zone(large))
        red_zone_set(memory, size);
    poison((char *)memory + size, pages * PAGE_SIZE - size);
    return memory;
}

/* The link that leads to its entry. */
static struct large **large_link(void *memory) {
    struct large **link = bucket_of(memory);
    while (*link != NULL && (*link)->memory != memory)
        link = &(*link)->next;
    if (*link == NULL)
        panic("kfree(%p): already free, or not from kmalloc", memory);
    return link;
}

static void large_free(void *memory) {
    struct large **link = large_link(memory);
    struct large *large = *link;
    if (has_red_zone(large))
        red_zone_check(memory, large->size);
    unpoison(memory, large->pages * PAGE_SIZE);
    *link = large->next;
    used -= large->size;
    pages_free(memory, large->pages);
    small_free(large);
}

static void *allocate(size_t size, size_t align) {
    if (size <= SMALL_MAX && align <= sizeof(struct block))
        return small_alloc(size);
    size_t page_align = size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
    return large_alloc(size, align > page_align ? align : page_align);
}

void *kmalloc(size_t size) {
    return allocate(size, 1);
}

void *kzalloc(size_t size) {
    return kzalloc_aligned(size, 1);
}

void *kzalloc_aligned(size_t size, size_t align) {
    KASSERT(align != 0 && (align & (align - 1)) == 0 && align <= LARGE_PAGE_SIZE);
    void *memory = allocate(size, align);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

void *kcalloc(size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : kzalloc(bytes);
}

static bool is_large(const void *memory) {
    return (uintptr_t)memory % PAGE_SIZE == 0;
}

void *krealloc(void *memory, size_t size) {
    if (memory == NULL)
        return kmalloc(size);
    size_t old = is_large(memory) ? (*large_link(memory))->size : small_block(memory)->size;
    void *fresh = kmalloc(size);
    if (fresh == NULL)
        return NULL;
    memcpy(fresh, memory, old < size ? old : size);
    kfree(memory);
    return fresh;
}

void kfree(void *memory) {
    if (memory == NULL)
        return;
    if (is_large(memory))
        large_free(memory);
    else
        small_free(memory);
}

size_t heap_used(void) {
    return used;
}
