/* pages_init.c - which pages there are: the usable ranges of E820, less what stage2 has loaded and
 * what the allocator itself needs. */
#include "arch/x86/cpu.h"
#include "arch/x86/sections.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/page_range.h"

/* The first MiB belongs to the firmware, VGA and the boot sectors. */
#define LOW_MEMORY_PAGES 256u
#ifdef __x86_64__
#define LIMIT_PAGES (1ull << (40 - 12)) /* 1 TiB: what is told of its pages fits into 400 MiB */
#else
#define LIMIT_PAGES ((1ull << 20) - 1) /* the end of the last page is not a number in 32 bits */
#endif

struct span {
    uint64_t first, end; /* page numbers */
    enum page_use use;
};
#define SPANS_MAX 4

static struct span spans[SPANS_MAX];
static unsigned span_count;

static void add_span(uintptr_t base, uintptr_t size, enum page_use use) {
    spans[span_count++] =
        (struct span){base / PAGE_SIZE, ((uint64_t)base + size + PAGE_SIZE - 1) / PAGE_SIZE, use};
}

static void list_loaded(const struct bootinfo *boot) {
    span_count = 0;
    add_span((uintptr_t)kernel_start, (uintptr_t)(kernel_end - kernel_start), PAGES_KERNEL);
    if (boot->ksyms.addr != 0)
        add_span(boot->ksyms.addr, boot->ksyms.mem_size, PAGES_BOOT);
    if (boot->registry.addr != 0)
        add_span(boot->registry.addr, boot->registry.mem_size, PAGES_BOOT);
}

/* The span that holds the page, or the next one behind it; NULL when there is none. */
static const struct span *span_behind(uint64_t page) {
    const struct span *best = NULL;
    for (unsigned i = 0; i < span_count; i++)
        if (spans[i].end > page && (best == NULL || spans[i].first < best->first))
            best = &spans[i];
    return best;
}

/* Lowest run of count pages below PAGES_EARLY_LIMIT that touches no span; 0 when there is none. */
static uint64_t find_early(size_t count) {
    for (unsigned r = 0; r < page_range_count; r++) {
        const struct buddy *b = &page_ranges[r].buddy;
        uint64_t at = b->first, end = b->first + b->count;
        const struct span *span = span_behind(at);
        while (span != NULL && span->first < at + count) {
            at = at > span->end ? at : span->end;
            span = span_behind(at);
        }
        if (at + count <= end && at + count <= PAGES_EARLY_LIMIT / PAGE_SIZE)
            return at;
    }
    return 0;
}

/* Pages [first, end) of the range are used for that. */
static void set_use(struct page_range *range, uint64_t first, uint64_t end, enum page_use use) {
    memset(range->use + (first - range->buddy.first), (int)use, (size_t)(end - first));
    page_counts[use] += (size_t)(end - first);
    if (use == PAGES_FREE)
        buddy_give(&range->buddy, first, (size_t)(end - first));
}

static void fill(struct page_range *range) {
    uint64_t at = range->buddy.first, end = at + range->buddy.count;
    while (at < end) {
        const struct span *span = span_behind(at);
        bool inside = span != NULL && span->first <= at;
        uint64_t next = span == NULL ? end : inside ? span->end : span->first;
        next = next < end ? next : end;
        set_use(range, at, next, inside ? span->use : PAGES_FREE);
        at = next;
    }
}

static size_t round_up(size_t size) {
    return (size + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);
}

static size_t map_size(const struct buddy *b) {
    return round_up(b->count) + buddy_map_size(b->first, b->count);
}

void pages_init(const struct bootinfo *boot) {
    static struct e820_range usable[E820_RANGES_MAX];
    uint64_t limit = 1ull << (cpu_info()->physical_bits - 12);
    limit = limit < LIMIT_PAGES ? limit : LIMIT_PAGES;
    page_range_count = e820_usable(boot->e820, boot->e820_count, LOW_MEMORY_PAGES, limit, usable);
    size_t bytes = 0;
    for (unsigned r = 0; r < page_range_count; r++) {
        struct buddy *b = &page_ranges[r].buddy;
        b->first = usable[r].first;
        b->count = (size_t)usable[r].count;
        bytes += map_size(b);
    }
    list_loaded(boot);
    size_t map_pages = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t at = find_early(map_pages);
    if (bytes == 0 || at == 0)
        panic("no room for the page map: expected %zu free pages below %u MiB in E820, none found",
              map_pages, PAGES_EARLY_LIMIT >> 20);
    add_span((uintptr_t)at * PAGE_SIZE, map_pages * PAGE_SIZE, PAGES_MAP);
    uint8_t *memory = (uint8_t *)(uintptr_t)(at * PAGE_SIZE);
    for (unsigned r = 0; r < page_range_count; r++) {
        struct page_range *range = &page_ranges[r];
        range->use = memory;
        buddy_init(&range->buddy, range->buddy.first, range->buddy.count,
                   memory + round_up(range->buddy.count));
        memory += map_size(&range->buddy);
        fill(range);
    }
}
