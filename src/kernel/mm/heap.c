/* heap.c - kmalloc. What is small is in slabs (slab.c). More, or stricter alignment: whole pages,
 * kept in a table apart so that the memory itself can be aligned to 2 MiB; it always starts at a
 * page boundary. */
#include "mm/heap.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/heap_account.h"
#include "mm/pages.h"
#include "mm/poison.h"
#include "mm/slab.h"

#define BUCKETS 256u
#define ALIGN_SMALL 16u

struct large {
    struct large *next;
    void *memory;
    size_t pages, size;
    unsigned account;
};

static struct large *buckets[BUCKETS];

static struct large **bucket_of(const void *memory) {
    return &buckets[(uintptr_t)memory / PAGE_SIZE % BUCKETS];
}

/* The rest of the last page holds a red zone if there is room for one. */
static bool has_red_zone(const struct large *large) {
    return large->pages * PAGE_SIZE - large->size >= RED_ZONE_SIZE;
}

static void *large_alloc(size_t size, size_t align, unsigned account) {
    if (size > SIZE_MAX - PAGE_SIZE)
        return NULL;
    size_t pages = size == 0 ? 1 : (size + PAGE_SIZE - 1) / PAGE_SIZE;
    struct large *large = slab_alloc(sizeof(*large), HEAP_KERNEL);
    void *memory = large != NULL ? pages_alloc_for(PAGES_HEAP, pages, align, 0) : NULL;
    if (memory == NULL) {
        if (large != NULL)
            slab_free(large);
        return NULL;
    }
    struct large **bucket = bucket_of(memory);
    *large = (struct large){*bucket, memory, pages, size, account};
    *bucket = large;
    if (has_red_zone(large))
        red_zone_set(memory, size);
    poison((char *)memory + size, pages * PAGE_SIZE - size);
    return memory;
}

/* The link that leads to its entry; NULL when there is none. */
static struct large **large_link(const void *memory) {
    struct large **link = bucket_of(memory);
    while (*link != NULL && (*link)->memory != memory)
        link = &(*link)->next;
    return *link != NULL ? link : NULL;
}

static void large_free(void *memory) {
    struct large **link = large_link(memory);
    struct large *large = *link;
    unpoison(memory, large->pages * PAGE_SIZE);
    *link = large->next;
    pages_free(memory, large->pages);
    slab_free(large);
}

static bool is_large(const void *memory) {
    return (uintptr_t)memory % PAGE_SIZE == 0;
}

void *heap_alloc(size_t size, size_t align, unsigned account) {
    void *memory;
    KASSERT(align != 0 && (align & (align - 1)) == 0 && align <= LARGE_PAGE_SIZE);
    if (size <= SLAB_SIZE_MAX && align <= ALIGN_SMALL) {
        memory = slab_alloc(size, account);
    } else {
        size_t page_align = size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
        memory = large_alloc(size, align > page_align ? align : page_align, account);
    }
    if (memory != NULL)
        heap_charge(account, size);
    return memory;
}

void *kmalloc(size_t size) {
    return heap_alloc(size, 1, HEAP_KERNEL);
}

void *kzalloc(size_t size) {
    return kzalloc_aligned(size, 1);
}

void *kzalloc_aligned(size_t size, size_t align) {
    void *memory = heap_alloc(size, align, HEAP_KERNEL);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

void *kcalloc(size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : kzalloc(bytes);
}

const char *heap_misuse(const void *memory) {
    enum page_use use = pages_use_at(memory);
    if (use == PAGES_SLABS && !is_large(memory))
        return slab_misuse(memory);
    if (use == PAGES_FREE)
        return "already free, or never memory";
    if (use != PAGES_HEAP || !is_large(memory))
        return "not the start of a block";
    struct large **link = large_link(memory);
    if (link == NULL)
        return "not the start of a block";
    return has_red_zone(*link) ? red_zone_misuse(memory, (*link)->size) : NULL;
}

void heap_write_off(void *memory) {
    enum page_use use = pages_use_at(memory);
    if (use == PAGES_SLABS && !is_large(memory))
        slab_write_off(memory);
    else if (use == PAGES_HEAP && large_link(memory) != NULL)
        red_zone_set(memory, (*large_link(memory))->size);
}

static void require_sound(const char *function, const void *memory) {
    const char *wrong = heap_misuse(memory);
    if (wrong != NULL)
        panic("%s(%p): %s", function, memory, wrong);
}

void *heap_realloc(void *memory, size_t size, unsigned account) {
    if (memory == NULL)
        return heap_alloc(size, 1, account);
    require_sound("krealloc", memory);
    size_t old = is_large(memory) ? (*large_link(memory))->size : slab_size(memory);
    void *fresh = heap_alloc(size, 1, account);
    if (fresh == NULL)
        return NULL;
    memcpy(fresh, memory, old < size ? old : size);
    kfree(memory);
    return fresh;
}

void *krealloc(void *memory, size_t size) {
    return heap_realloc(memory, size, HEAP_KERNEL);
}

void kfree(void *memory) {
    if (memory == NULL)
        return;
    require_sound("kfree", memory);
    if (is_large(memory)) {
        const struct large *large = *large_link(memory);
        heap_discharge(large->account, large->size);
        large_free(memory);
    } else {
        heap_discharge(slab_account(memory), slab_size(memory));
        slab_free(memory);
    }
}

void heap_check(void) {
    slab_check();
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (const struct large *large = buckets[i]; large != NULL; large = large->next) {
            const char *wrong = heap_misuse(large->memory);
            if (wrong != NULL)
                panic("heap: the block at %p: %s", large->memory, wrong);
        }
    }
}
