/* slab.c - a slab is 16 KiB, aligned to its size: struct slab, then blocks. Free blocks hold JUNK,
 * which must still be there when they are given out again.
 *
 * Blocks begin at multiples of 32 and their memory 16 bytes later, so never at a page boundary:
 * that is how kfree tells them from runs of pages. */
#include "mm/slab.h"

#include <stdbool.h>

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/alloc_failure.h"
#include "mm/pages.h"
#include "mm/poison.h"

#define SLAB_PAGES 4u
#define SLAB_BYTES (SLAB_PAGES * PAGE_SIZE)
#define MAGIC_SLAB 0x51ab51abu
#define MAGIC_USED 0xa110ca7eu
#define MAGIC_FREE 0xf4eeb10cu
#define MAGIC_LOST 0x10571057u /* in use for ever: it was overwritten */
#define RED_ZONE 0x5afe5afeu
#define JUNK 0xd6

struct block {
    uint32_t magic;
    uint16_t account, reserved;
    union {
        size_t size;        /* while in use: bytes asked for */
        struct block *next; /* while free */
    };
#ifndef __x86_64__
    uint32_t padding;
#endif
};
_Static_assert(sizeof(struct block) == 16, "keeps kmalloc's memory aligned to 16 bytes");

struct slab {
    uint32_t magic;
    uint16_t class, live;
    struct block *free;
    struct slab *next, *previous; /* of the class's slabs that have a free block */
};
#define SLAB_HEAD 64u
_Static_assert(sizeof(struct slab) <= SLAB_HEAD, "blocks begin behind it");

/* Multiples of 32; from 512 on as many as fit into a slab without a rest worth having. */
static const uint16_t class_size[] = {32,  64,  96,   128,  192,  256,  384,
                                      512, 768, 1024, 1344, 2016, 2720, 4064};
#define CLASSES (sizeof(class_size) / sizeof(class_size[0]))
#define OVERHEAD (sizeof(struct block) + RED_ZONE_SIZE)
_Static_assert(SLAB_SIZE_MAX + OVERHEAD == 4064, "the largest class");

static const char front_misused[] = "bytes in front of it were overwritten";
static const char behind_misused[] = "bytes behind it were overwritten";

static struct class {
    struct slab *first; /* with a free block */
    size_t slabs, idle; /* all of them; without a live block */
} classes[CLASSES];

void red_zone_set(void *memory, size_t size) {
    uint32_t zone = RED_ZONE;
    memcpy((char *)memory + size, &zone, sizeof(zone));
    poison((char *)memory + size, sizeof(zone));
}

POISON_IGNORED const char *red_zone_misuse(const void *memory, size_t size) {
    const volatile uint8_t *zone = (const volatile uint8_t *)memory + size;
    for (unsigned i = 0; i < RED_ZONE_SIZE; i++)
        if (zone[i] != (uint8_t)(RED_ZONE >> 8 * i))
            return behind_misused;
    return NULL;
}

static unsigned class_of(size_t size) {
    unsigned class = 0;
    while (size + OVERHEAD > class_size[class])
        class ++;
    return class;
}

static unsigned blocks_of(unsigned class) {
    return (SLAB_BYTES - SLAB_HEAD) / class_size[class];
}

static size_t payload_of(unsigned class) {
    return class_size[class] - sizeof(struct block);
}

static struct slab *slab_of(const void *memory) {
    return (struct slab *)((uintptr_t)memory & ~(uintptr_t)(SLAB_BYTES - 1));
}

static void link(struct slab *slab) {
    struct class *class = &classes[slab->class];
    slab->previous = NULL;
    slab->next = class->first;
    if (slab->next != NULL)
        slab->next->previous = slab;
    class->first = slab;
}

static void unlink(struct slab *slab) {
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        classes[slab->class].first = slab->next;
}

static void release(struct block *block, struct slab *slab) {
    size_t payload = payload_of(slab->class);
    unpoison(block + 1, payload);
    memset(block + 1, JUNK, payload);
    poison(block + 1, payload);
    *block = (struct block){.magic = MAGIC_FREE, .next = slab->free};
    slab->free = block;
}

static bool refill(unsigned class) {
    struct slab *slab = pages_alloc_for(PAGES_SLABS, SLAB_PAGES, SLAB_BYTES, 0);
    if (slab == NULL)
        return false;
    *slab = (struct slab){.magic = MAGIC_SLAB, .class = (uint16_t)class};
    for (unsigned i = blocks_of(class); i-- > 0;)
        release((struct block *)((char *)slab + SLAB_HEAD + i * class_size[class]), slab);
    link(slab);
    classes[class].slabs++;
    classes[class].idle++;
    return true;
}

static void check_junk(const struct block *block, size_t payload) {
    const uint8_t *bytes = (const uint8_t *)(block + 1);
    for (size_t i = 0; i < payload; i++)
        if (bytes[i] != JUNK)
            panic("kmalloc: the free block at %p was written to at %p", (const void *)bytes,
                  (const void *)&bytes[i]);
}

void *slab_alloc(size_t size, unsigned account) {
    unsigned number = class_of(size);
    struct class *class = &classes[number];
    if (alloc_failure_due() || (class->first == NULL && !refill(number)))
        return NULL;
    struct slab *slab = class->first;
    struct block *block = slab->free;
    if (block == NULL || block->magic != MAGIC_FREE)
        panic("kmalloc(%zu): the free block at %p was overwritten", size, (void *)block);
    size_t payload = payload_of(number);
    unpoison(block + 1, payload);
    check_junk(block, payload);
    class->idle -= slab->live == 0;
    slab->live++;
    slab->free = block->next;
    if (slab->free == NULL)
        unlink(slab);
    *block = (struct block){.magic = MAGIC_USED, .account = (uint16_t)account, .size = size};
    red_zone_set(block + 1, size);
    poison((char *)(block + 1) + size, payload - size);
    return block + 1;
}

static struct block *block_of(const void *memory) {
    return (struct block *)memory - 1;
}

size_t slab_size(const void *memory) {
    return block_of(memory)->size;
}

unsigned slab_account(const void *memory) {
    return block_of(memory)->account;
}

POISON_IGNORED const char *slab_misuse(const void *memory) {
    const struct slab *slab = slab_of(memory);
    if (slab->magic != MAGIC_SLAB || slab->class >= CLASSES)
        panic("heap: the slab at %p was overwritten", (const void *)slab);
    size_t size = class_size[slab->class];
    size_t offset = (uintptr_t)memory - (uintptr_t)slab - sizeof(struct block);
    if (offset < SLAB_HEAD || offset >= SLAB_HEAD + blocks_of(slab->class) * size ||
        (offset - SLAB_HEAD) % size != 0)
        return "not the start of a block";
    const struct block *block = block_of(memory);
    if (block->magic == MAGIC_FREE)
        return "already free";
    if (block->magic == MAGIC_LOST)
        return "it was overwritten before";
    if (block->magic != MAGIC_USED || block->size + OVERHEAD > size)
        return front_misused;
    return red_zone_misuse(memory, block->size);
}

void slab_write_off(void *memory) {
    const char *wrong = slab_misuse(memory);
    if (wrong == front_misused || wrong == behind_misused)
        block_of(memory)->magic = MAGIC_LOST;
}

void slab_free(void *memory) {
    struct slab *slab = slab_of(memory);
    struct class *class = &classes[slab->class];
    if (slab->free == NULL)
        link(slab);
    release(block_of(memory), slab);
    if (--slab->live > 0)
        return;
    if (class->idle == 0) {
        class->idle++;
        return;
    }
    unlink(slab);
    class->slabs--;
    unpoison(slab, SLAB_BYTES);
    pages_free(slab, SLAB_PAGES);
}

/* The free blocks of a slab are as many as are not live. */
static void check_slab(const struct slab *slab, unsigned class) {
    unsigned free = 0;
    for (const struct block *b = slab->free; b != NULL; b = b->next) {
        if (slab_of(b) != slab || b->magic != MAGIC_FREE || free > blocks_of(class))
            panic("heap: the free block at %p was overwritten", (const void *)b);
        free++;
    }
    if (slab->magic != MAGIC_SLAB || slab->class != class || free + slab->live != blocks_of(class))
        panic("heap: the slab at %p was overwritten", (const void *)slab);
    for (unsigned i = 0; i < blocks_of(class); i++) {
        const struct block *b =
            (const struct block *)((const char *)slab + SLAB_HEAD + i * class_size[class]);
        bool judged = b->magic == MAGIC_FREE || b->magic == MAGIC_LOST;
        const char *wrong = judged ? NULL : slab_misuse(b + 1);
        if (wrong != NULL)
            panic("heap: the block at %p: %s", (const void *)(b + 1), wrong);
    }
}

void slab_check(void) {
    for (unsigned class = 0; class < CLASSES; class ++) {
        size_t idle = 0;
        for (const struct slab *slab = classes[class].first; slab != NULL; slab = slab->next) {
            check_slab(slab, class);
            idle += slab->live == 0;
        }
        if (idle != classes[class].idle || idle > 1)
            panic("heap: %zu idle slabs of class %u expected, found %zu", classes[class].idle,
                  class, idle);
    }
}
