/* buddy.c - one bitmap per order. */
#include "mm/buddy.h"

#include "lib/string.h"

#define WORD_BITS (8 * sizeof(uintptr_t))
#define NONE SIZE_MAX

static size_t blocks_of(uint64_t first, size_t count, unsigned order) {
    return (size_t)(((first + count - 1) >> order) - (first >> order)) + 1;
}

static size_t words_of(uint64_t first, size_t count, unsigned order) {
    return (blocks_of(first, count, order) + WORD_BITS - 1) / WORD_BITS;
}

size_t buddy_map_size(uint64_t first, size_t count) {
    size_t words = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        words += words_of(first, count, order);
    return words * sizeof(uintptr_t);
}

void buddy_init(struct buddy *b, uint64_t first, size_t count, void *memory) {
    uintptr_t *words = memory;
    *b = (struct buddy){.first = first, .count = count};
    memset(memory, 0, buddy_map_size(first, count));
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        b->map[order] = words;
        words += words_of(first, count, order);
    }
}

static size_t index_of(const struct buddy *b, uint64_t page, unsigned order) {
    return (size_t)((page >> order) - (b->first >> order));
}

static bool bit_get(const struct buddy *b, unsigned order, size_t i) {
    return b->map[order][i / WORD_BITS] >> i % WORD_BITS & 1;
}

static void insert(struct buddy *b, uint64_t page, unsigned order) {
    size_t i = index_of(b, page, order);
    b->map[order][i / WORD_BITS] |= (uintptr_t)1 << i % WORD_BITS;
    if (i / WORD_BITS < b->hint[order])
        b->hint[order] = i / WORD_BITS;
    b->blocks[order]++;
    b->free += (size_t)1 << order;
}

static void extract(struct buddy *b, uint64_t page, unsigned order) {
    size_t i = index_of(b, page, order);
    b->map[order][i / WORD_BITS] &= ~((uintptr_t)1 << i % WORD_BITS);
    b->blocks[order]--;
    b->free -= (size_t)1 << order;
}

/* First set bit at or behind i, NONE when there is none. */
static size_t next_bit(const struct buddy *b, unsigned order, size_t i) {
    size_t words = words_of(b->first, b->count, order), word = i / WORD_BITS;
    if (word >= words)
        return NONE;
    uintptr_t bits = b->map[order][word] >> i % WORD_BITS << i % WORD_BITS;
    while (bits == 0)
        if (++word == words)
            return NONE;
        else
            bits = b->map[order][word];
    return word * WORD_BITS + (size_t)__builtin_ctzl(bits);
}

/* The lowest free block of the order that holds count pages within [from, end); 0 for none. */
static uint64_t lowest(struct buddy *b, unsigned order, size_t count, uint64_t from, uint64_t end) {
    uint64_t size = 1ull << order, base = b->first >> order << order;
    size_t start = b->hint[order] * WORD_BITS;
    if (b->blocks[order] == 0)
        return 0;
    size_t i = next_bit(b, order, start);
    b->hint[order] = i / WORD_BITS;
    if (from > base + i * size)
        i = next_bit(b, order, (size_t)((from - base + size - 1) >> order));
    if (i == NONE)
        return 0;
    uint64_t page = base + i * size;
    return page < end && count <= end - page ? page : 0;
}

uint64_t buddy_take(struct buddy *b, size_t count, uint64_t align, uint64_t from, uint64_t end) {
    unsigned order = 0;
    while (order < BUDDY_ORDERS && ((uint64_t)count > 1ull << order || align > 1ull << order))
        order++;
    for (; order < BUDDY_ORDERS; order++) {
        uint64_t page = lowest(b, order, count, from, end);
        if (page == 0)
            continue;
        extract(b, page, order);
        uint64_t rest = (1ull << order) - count;
        if (rest > 0)
            buddy_give(b, page + count, (size_t)rest);
        return page;
    }
    return 0;
}

int buddy_order_at(const struct buddy *b, uint64_t page) {
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        if (b->blocks[order] > 0 && bit_get(b, order, index_of(b, page, order)))
            return (int)order;
    return -1;
}

void buddy_carve(struct buddy *b, uint64_t first, size_t count) {
    uint64_t end = first + count;
    for (uint64_t page = first; page < end;) {
        unsigned order = (unsigned)buddy_order_at(b, page);
        uint64_t block = page >> order << order, block_end = block + (1ull << order);
        extract(b, block, order);
        if (block < first)
            buddy_give(b, block, (size_t)(first - block));
        if (block_end > end)
            buddy_give(b, end, (size_t)(block_end - end));
        page = block_end;
    }
}

static bool is_within(const struct buddy *b, uint64_t page, unsigned order) {
    return page >= b->first && page + (1ull << order) <= b->first + b->count;
}

static void give_block(struct buddy *b, uint64_t page, unsigned order) {
    while (order + 1 < BUDDY_ORDERS) {
        uint64_t buddy = page ^ 1ull << order;
        if (!is_within(b, buddy, order) || !bit_get(b, order, index_of(b, buddy, order)))
            break;
        extract(b, buddy, order);
        page &= ~(1ull << order);
        order++;
    }
    insert(b, page, order);
}

void buddy_give(struct buddy *b, uint64_t first, size_t count) {
    uint64_t end = first + count;
    while (first < end) {
        unsigned order = 0;
        while (order + 1 < BUDDY_ORDERS && first % (2ull << order) == 0 &&
               end - first >= 2ull << order)
            order++;
        give_block(b, first, order);
        first += 1ull << order;
    }
}

/* The blocks of one order; adds their pages to *pages. */
static const char *check_order(const struct buddy *b, unsigned order,
                               bool (*is_free)(uint64_t page), size_t *pages) {
    size_t blocks = 0;
    for (size_t i = next_bit(b, order, 0); i != NONE; i = next_bit(b, order, i + 1)) {
        uint64_t page = ((b->first >> order) + i) << order;
        if (!is_within(b, page, order))
            return "a free block reaches over its range";
        if (order + 1 < BUDDY_ORDERS && is_within(b, page ^ 1ull << order, order) &&
            bit_get(b, order, index_of(b, page ^ 1ull << order, order)))
            return "two free buddies are not merged";
        if (buddy_order_at(b, page) != (int)order)
            return "a page is in two free blocks";
        for (uint64_t at = page; at < page + (1ull << order); at++)
            if (!is_free(at))
                return "a page in use is in a free block";
        if (i / WORD_BITS < b->hint[order])
            return "a free block lies before the hint";
        blocks++;
    }
    *pages += blocks << order;
    return blocks == b->blocks[order] ? NULL : "the number of free blocks is wrong";
}

const char *buddy_check(const struct buddy *b, bool (*is_free)(uint64_t page)) {
    size_t pages = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        const char *wrong = check_order(b, order, is_free, &pages);
        if (wrong != NULL)
            return wrong;
    }
    return pages == b->free ? NULL : "the number of free pages is wrong";
}
