/* pages.c - physical pages: the usable ranges of E820 and one bit per page, set while the page is
 * in use.
 *
 * Invariants: ranges ascend and never touch, so a run of free pages lies in one range. Page i of
 * range r is bit r.bit + i. available = number of clear bits. */
#include "mm/pages.h"

#include <stdbool.h>

#include "arch/x86/cpu.h"
#include "arch/x86/sections.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/e820.h"
#include "mm/poison.h"

/* The first MiB belongs to the firmware, VGA and the boot sectors. */
#define LOW_MEMORY_PAGES 256u
#define WORD_BITS (8 * sizeof(uintptr_t))
#define JUNK 0xd5
#define JUNK_MAX_PAGES 16 /* larger runs would cost milliseconds */
#ifdef __x86_64__
#define LIMIT_PAGES (1ull << (42 - 12)) /* 4 TiB */
#else
#define LIMIT_PAGES ((1ull << 20) - 1) /* the end of the last page is not a number in 32 bits */
#endif

struct range {
    uint64_t first; /* page number */
    size_t count;
    size_t bit;
};

struct used {
    uint64_t first, end; /* page numbers */
};

static struct range ranges[E820_RANGES_MAX];
static unsigned range_count;
static uintptr_t *bitmap;
static size_t total, available;

static bool bit_get(size_t bit) {
    return bitmap[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static void bits_set(size_t bit, size_t count, bool value) {
    while (count > 0) {
        size_t shift = bit % WORD_BITS;
        size_t n = WORD_BITS - shift < count ? WORD_BITS - shift : count;
        uintptr_t mask = (n == WORD_BITS ? ~(uintptr_t)0 : ((uintptr_t)1 << n) - 1) << shift;
        if (value)
            bitmap[bit / WORD_BITS] |= mask;
        else
            bitmap[bit / WORD_BITS] &= ~mask;
        bit += n;
        count -= n;
    }
}

/* First bit in [bit, end) that equals value, end when there is none. */
static size_t bit_find(size_t bit, size_t end, bool value) {
    while (bit < end) {
        uintptr_t word = bitmap[bit / WORD_BITS];
        word = (value ? word : ~word) >> bit % WORD_BITS;
        if (word != 0) {
            size_t found = bit + (size_t)__builtin_ctzl(word);
            return found < end ? found : end;
        }
        bit += WORD_BITS - bit % WORD_BITS;
    }
    return end;
}

static struct used used_by(uintptr_t base, uintptr_t size) {
    return (struct used){base / PAGE_SIZE, ((uint64_t)base + size + PAGE_SIZE - 1) / PAGE_SIZE};
}

static unsigned list_used(const struct bootinfo *boot, struct used used[4]) {
    unsigned n = 0;
    used[n++] = used_by((uintptr_t)kernel_start, (uintptr_t)(kernel_end - kernel_start));
    if (boot->ksyms.addr != 0)
        used[n++] = used_by(boot->ksyms.addr, boot->ksyms.mem_size);
    if (boot->registry.addr != 0)
        used[n++] = used_by(boot->registry.addr, boot->registry.mem_size);
    return n;
}

/* Lowest run of count pages below PAGES_EARLY_LIMIT that touches nothing in used; 0 when none. */
static uint64_t find_early(size_t count, const struct used *used, unsigned used_count) {
    for (unsigned r = 0; r < range_count; r++) {
        uint64_t at = ranges[r].first, end = ranges[r].first + ranges[r].count;
        for (unsigned i = 0; i < used_count; i++) {
            if (used[i].first < at + count && at < used[i].end) {
                at = used[i].end;
                i = (unsigned)-1; /* against all of them again */
            }
        }
        if (at + count <= end && at + count <= PAGES_EARLY_LIMIT / PAGE_SIZE)
            return at;
    }
    return 0;
}

/* Marks the part of [first, end) that is RAM as in use. */
static void mark_used(const struct used *used) {
    for (unsigned r = 0; r < range_count; r++) {
        const struct range *range = &ranges[r];
        uint64_t first = used->first > range->first ? used->first : range->first;
        uint64_t end = range->first + range->count;
        end = used->end < end ? used->end : end;
        for (; first < end; first++) {
            size_t bit = range->bit + (size_t)(first - range->first);
            available -= !bit_get(bit);
            bits_set(bit, 1, true);
        }
    }
}

void pages_init(const struct bootinfo *boot) {
    static struct e820_range usable[E820_RANGES_MAX];
    uint64_t limit = 1ull << (cpu_info()->physical_bits - 12);
    limit = limit < LIMIT_PAGES ? limit : LIMIT_PAGES;
    range_count = e820_usable(boot->e820, boot->e820_count, LOW_MEMORY_PAGES, limit, usable);
    total = 0;
    for (unsigned r = 0; r < range_count; r++) {
        size_t count = (size_t)usable[r].count;
        ranges[r] = (struct range){usable[r].first, count, total};
        total += count;
    }
    struct used used[4];
    unsigned used_count = list_used(boot, used);
    size_t bytes = (total + WORD_BITS - 1) / WORD_BITS * sizeof(uintptr_t);
    size_t bitmap_pages = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t at = find_early(bitmap_pages, used, used_count);
    if (total == 0 || at == 0)
        panic(
            "no room for the page bitmap: expected %zu free pages below %u MiB in E820, none found",
            bitmap_pages, PAGES_EARLY_LIMIT >> 20);
    bitmap = (uintptr_t *)(uintptr_t)(at * PAGE_SIZE);
    memset(bitmap, 0, bytes);
    available = total;
    used[used_count++] = (struct used){at, at + bitmap_pages};
    for (unsigned i = 0; i < used_count; i++)
        mark_used(&used[i]);
}

/* First page of a free, aligned run in range that ends at or below end; 0 when there is none. */
static uint64_t find_run(const struct range *range, size_t count, uint64_t align, uint64_t end) {
    uint64_t range_end = range->first + range->count;
    end = end < range_end ? end : range_end;
    uint64_t at = (range->first + align - 1) & ~(align - 1);
    while (at < end && count <= end - at) {
        size_t bit = range->bit + (size_t)(at - range->first);
        size_t busy = bit_find(bit, bit + count, true);
        if (busy == bit + count)
            return at;
        size_t clear = bit_find(busy, range->bit + range->count, false);
        at = (range->first + (clear - range->bit) + align - 1) & ~(align - 1);
    }
    return 0;
}

void *pages_alloc(size_t count, size_t align, uint64_t below) {
    KASSERT(align >= PAGE_SIZE && (align & (align - 1)) == 0);
    if (count == 0 || count > available)
        return NULL;
    uint64_t end = below != 0 ? below / PAGE_SIZE : UINT64_MAX;
    for (unsigned r = 0; r < range_count; r++) {
        uint64_t first = find_run(&ranges[r], count, align / PAGE_SIZE, end);
        if (first == 0)
            continue;
        bits_set(ranges[r].bit + (size_t)(first - ranges[r].first), count, true);
        available -= count;
        unpoison((void *)(uintptr_t)(first * PAGE_SIZE), count * PAGE_SIZE);
        return (void *)(uintptr_t)(first * PAGE_SIZE);
    }
    return NULL;
}

void pages_free(void *start, size_t count) {
    uint64_t first = (uintptr_t)start / PAGE_SIZE;
    KASSERT((uintptr_t)start % PAGE_SIZE == 0 && count > 0);
    for (unsigned r = 0; r < range_count; r++) {
        const struct range *range = &ranges[r];
        if (first < range->first || first - range->first >= range->count)
            continue;
        size_t index = (size_t)(first - range->first);
        if (count > range->count - index)
            break;
        size_t bit = range->bit + index;
        size_t clear = bit_find(bit, bit + count, false);
        if (clear != bit + count)
            panic("pages_free(%p, %zu): page %zu of it is already free", start, count, clear - bit);
        if (count <= JUNK_MAX_PAGES)
            memset(start, JUNK, count * PAGE_SIZE);
        poison(start, count * PAGE_SIZE);
        bits_set(bit, count, false);
        available += count;
        return;
    }
    panic("pages_free(%p, %zu): not a range of RAM", start, count);
}

size_t pages_total(void) {
    return total;
}

size_t pages_available(void) {
    return available;
}

uint64_t pages_top(void) {
    if (range_count == 0)
        return 0;
    const struct range *last = &ranges[range_count - 1];
    return (last->first + last->count) * PAGE_SIZE;
}

void pages_for_each_range(void (*visit)(uint64_t base, uint64_t length, void *context),
                          void *context) {
    for (unsigned r = 0; r < range_count; r++)
        visit(ranges[r].first * PAGE_SIZE, (uint64_t)ranges[r].count * PAGE_SIZE, context);
}

bool pages_is_ram(uint64_t base, uint64_t length) {
    uint64_t first = base / PAGE_SIZE, end = (base + length - 1) / PAGE_SIZE + 1;
    for (unsigned r = 0; r < range_count; r++)
        if (first < ranges[r].first + ranges[r].count && ranges[r].first < end)
            return true;
    return false;
}
