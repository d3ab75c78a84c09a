/* pages.c - physical pages: for each usable range of E820 its free blocks (buddy.c), and one byte
 * per page that says what it is used for. */
#include "mm/pages.h"

#include "lib/panic.h"
#include "lib/string.h"
#include "mm/alloc_failure.h"
#include "mm/page_range.h"
#include "mm/poison.h"

#define FILL_MAX_PAGES 16 /* larger runs would cost milliseconds */
#define JUNK_WORD ((uintptr_t)-1 / 255 * PAGE_JUNK)
#define NEAR_MAX 8
#define PACKED_MIN 128 /* pages: shorter runs are many, and looking for a place takes longer */

struct page_range page_ranges[E820_RANGES_MAX];
unsigned page_range_count;
size_t page_counts[PAGES_USES];

static struct e820_range near[NEAR_MAX];
static unsigned near_count;

/* The range that page is in, NULL when it is no RAM. */
static struct page_range *range_of(uint64_t page) {
    for (unsigned r = 0; r < page_range_count; r++)
        if (page - page_ranges[r].buddy.first < page_ranges[r].buddy.count)
            return &page_ranges[r];
    return NULL;
}

static bool is_free_use(uint8_t use) {
    return PAGE_USE(use) == PAGES_FREE;
}

/* First page in [page, end) that is free, or is not; end when there is none. */
static uint64_t find_page(const struct page_range *range, uint64_t page, uint64_t end, bool free) {
    while (page < end && is_free_use(range->use[page - range->buddy.first]) != free)
        page++;
    return page;
}

/* First page of a free, aligned run within [from, end), which may reach over several blocks; 0 when
 * there is none. */
static uint64_t find_run(const struct page_range *range, size_t count, uint64_t align,
                         uint64_t from, uint64_t end) {
    uint64_t at = (from + align - 1) & ~(align - 1);
    while (at < end && count <= end - at) {
        uint64_t busy = find_page(range, at, at + count, false);
        if (busy == at + count)
            return at;
        at = (find_page(range, busy, end, true) + align - 1) & ~(align - 1);
    }
    return 0;
}

/* Long runs that are no power of two would each leave a rest of a block that the next does not fit
 * into, nearly half of the block if they are a little longer than the next smaller one: they are
 * put one behind the other. */
static bool is_packed(size_t count) {
    return count >= PACKED_MIN && (count & (count - 1)) != 0;
}

/* Takes a run within pages [from, end) of one range; 0 when there is none. */
static uint64_t take_from(struct page_range *range, size_t count, uint64_t align, uint64_t from,
                          uint64_t end) {
    struct buddy *b = &range->buddy;
    from = from > b->first ? from : b->first;
    end = end < b->first + b->count ? end : b->first + b->count;
    if (from >= end || count > end - from || count > b->free)
        return 0;
    uint64_t first = is_packed(count) ? 0 : buddy_take(b, count, align, from, end);
    if (first == 0) {
        first = find_run(range, count, align, from, end);
        if (first != 0)
            buddy_carve(b, first, count);
    }
    return first;
}

static uint64_t take(size_t count, uint64_t align, uint64_t from, uint64_t end,
                     struct page_range **range) {
    for (unsigned r = 0; r < page_range_count; r++) {
        uint64_t first = take_from(&page_ranges[r], count, align, from, end);
        if (first != 0) {
            *range = &page_ranges[r];
            return first;
        }
    }
    return 0;
}

/* Panics when something has written to a page since it was filled. */
static void check_filled(uint64_t page) {
    const uintptr_t *words = (const uintptr_t *)(uintptr_t)(page * PAGE_SIZE);
    for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        if (words[i] != JUNK_WORD)
            panic("pages_alloc: the free page at %p was written to at %p", (const void *)words,
                  (const void *)&words[i]);
}

void *pages_alloc_for(enum page_use use, size_t count, size_t align, uint64_t below) {
    struct page_range *range = NULL;
    uint64_t first = 0, end = below != 0 ? below / PAGE_SIZE : UINT64_MAX;
    KASSERT(align >= PAGE_SIZE && (align & (align - 1)) == 0 && use != PAGES_FREE);
    if (count == 0 || count > page_counts[PAGES_FREE] || alloc_failure_due())
        return NULL;
    align /= PAGE_SIZE;
    for (unsigned n = 0; n < near_count && first == 0; n++) {
        uint64_t near_end = near[n].first + near[n].count;
        first = take(count, align, near[n].first, near_end < end ? near_end : end, &range);
    }
    if (first == 0)
        first = take(count, align, 0, end, &range);
    if (first == 0)
        return NULL;
    unpoison((void *)(uintptr_t)(first * PAGE_SIZE), count * PAGE_SIZE);
    uint8_t *uses = range->use + (first - range->buddy.first);
    for (size_t i = 0; i < count; i++)
        if (uses[i] & PAGE_FILLED)
            check_filled(first + i);
    memset(uses, (int)use, count);
    page_counts[PAGES_FREE] -= count;
    page_counts[use] += count;
    return (void *)(uintptr_t)(first * PAGE_SIZE);
}

void *pages_alloc(size_t count, size_t align, uint64_t below) {
    return pages_alloc_for(PAGES_DMA, count, align, below);
}

void pages_free(void *start, size_t count) {
    uint64_t first = (uintptr_t)start / PAGE_SIZE;
    struct page_range *range = range_of(first);
    KASSERT((uintptr_t)start % PAGE_SIZE == 0 && count > 0);
    if (range == NULL || count > range->buddy.count - (size_t)(first - range->buddy.first))
        panic("pages_free(%p, %zu): not a range of RAM", start, count);
    uint64_t free = find_page(range, first, first + count, true);
    if (free != first + count)
        panic("pages_free(%p, %zu): page %zu of it is already free", start, count,
              (size_t)(free - first));
    uint8_t *uses = range->use + (first - range->buddy.first);
    for (size_t i = 0; i < count; i++)
        page_counts[uses[i]]--;
    bool filled = count <= FILL_MAX_PAGES;
    if (filled)
        memset(start, PAGE_JUNK, count * PAGE_SIZE);
    poison(start, count * PAGE_SIZE);
    memset(uses, PAGES_FREE | (filled ? PAGE_FILLED : 0), count);
    page_counts[PAGES_FREE] += count;
    buddy_give(&range->buddy, first, count);
}

size_t pages_total(void) {
    size_t total = 0;
    for (unsigned use = 0; use < PAGES_USES; use++)
        total += page_counts[use];
    return total;
}

size_t pages_available(void) {
    return page_counts[PAGES_FREE];
}

size_t pages_used_for(enum page_use use) {
    return page_counts[use];
}

const char *pages_use_name(enum page_use use) {
    static const char *const names[] = {
#define PAGE_USE_TEXT(name, text) text,
        PAGE_USE_LIST(PAGE_USE_TEXT)};
    return names[use];
}

enum page_use pages_use_at(const void *address) {
    uint64_t page = (uintptr_t)address / PAGE_SIZE;
    const struct page_range *range = range_of(page);
    return range != NULL ? (enum page_use)PAGE_USE(range->use[page - range->buddy.first])
                         : PAGES_FREE;
}

uint64_t pages_top(void) {
    if (page_range_count == 0)
        return 0;
    const struct buddy *last = &page_ranges[page_range_count - 1].buddy;
    return (last->first + last->count) * PAGE_SIZE;
}

void pages_for_each_range(void (*visit)(uint64_t base, uint64_t length, void *context),
                          void *context) {
    for (unsigned r = 0; r < page_range_count; r++) {
        const struct buddy *b = &page_ranges[r].buddy;
        visit(b->first * PAGE_SIZE, (uint64_t)b->count * PAGE_SIZE, context);
    }
}

bool pages_is_ram(uint64_t base, uint64_t length) {
    uint64_t first = base / PAGE_SIZE, end = (base + length - 1) / PAGE_SIZE + 1;
    for (unsigned r = 0; r < page_range_count; r++) {
        const struct buddy *b = &page_ranges[r].buddy;
        if (first < b->first + b->count && b->first < end)
            return true;
    }
    return false;
}

void pages_prefer(uint64_t base, uint64_t length) {
    if (near_count < NEAR_MAX && length >= PAGE_SIZE)
        near[near_count++] = (struct e820_range){base / PAGE_SIZE, length / PAGE_SIZE};
}

size_t pages_available_in(uint64_t base, uint64_t length) {
    size_t available = 0;
    for (unsigned r = 0; r < page_range_count; r++) {
        const struct buddy *b = &page_ranges[r].buddy;
        uint64_t first = base / PAGE_SIZE, end = (base + length) / PAGE_SIZE;
        first = first > b->first ? first : b->first;
        end = end < b->first + b->count ? end : b->first + b->count;
        for (; first < end; first++)
            available += is_free_use(page_ranges[r].use[first - b->first]);
    }
    return available;
}

static bool is_free(uint64_t page) {
    const struct page_range *range = range_of(page);
    return range != NULL && is_free_use(range->use[page - range->buddy.first]);
}

void pages_check(void) {
    size_t counts[PAGES_USES] = {0}, in_blocks = 0;
    for (unsigned r = 0; r < page_range_count; r++) {
        const struct page_range *range = &page_ranges[r];
        const char *wrong = buddy_check(&range->buddy, is_free);
        if (wrong != NULL)
            panic("page allocator: %s", wrong);
        in_blocks += range->buddy.free;
        for (size_t i = 0; i < range->buddy.count; i++)
            counts[PAGE_USE(range->use[i])]++;
    }
    if (in_blocks != counts[PAGES_FREE] || memcmp(counts, page_counts, sizeof(counts)) != 0)
        panic("page allocator: the numbers of pages are wrong");
}
