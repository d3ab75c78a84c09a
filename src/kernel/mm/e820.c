/* e820.c - the firmware's memory map, put in order (ACPI specification 6.5, section 15). The map is
 * cut at every boundary that occurs in it; each piece is usable when a usable entry and no other
 * covers it. */
#include "mm/e820.h"

#include <stdbool.h>

#include "mm/pages.h"

struct span { /* an entry in pages, end exclusive */
    uint64_t first, end;
    bool usable;
};

/* Usable memory shrinks to whole pages, everything else grows to them. False: nothing is left. */
static bool to_pages(const struct e820_entry *e, struct span *s) {
    uint64_t last = e->base + e->length - 1; /* inclusive, so that 2^64 needs no bit 64 */
    if (e->length == 0)
        return false;
    if (last < e->base)
        last = UINT64_MAX;
    s->usable = e->type == E820_USABLE;
    if (s->usable) {
        s->first = e->base / PAGE_SIZE + (e->base % PAGE_SIZE != 0);
        s->end = last == UINT64_MAX ? last / PAGE_SIZE + 1 : (last + 1) / PAGE_SIZE;
    } else {
        s->first = e->base / PAGE_SIZE;
        s->end = last / PAGE_SIZE + 1;
    }
    return s->first < s->end;
}

static void insert_sorted(uint64_t *list, unsigned *n, uint64_t value) {
    unsigned at = *n;
    while (at > 0 && list[at - 1] > value) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = value;
    ++*n;
}

static bool piece_usable(const struct span *spans, unsigned n, uint64_t first, uint64_t end) {
    bool usable = false;
    for (unsigned i = 0; i < n; i++) {
        if (spans[i].first > first || spans[i].end < end)
            continue;
        if (!spans[i].usable)
            return false;
        usable = true;
    }
    return usable;
}

unsigned e820_usable(const struct e820_entry *entries, unsigned count, uint64_t from, uint64_t to,
                     struct e820_range ranges[E820_RANGES_MAX]) {
    static struct span spans[BOOTINFO_E820_MAX];
    static uint64_t cuts[2 * BOOTINFO_E820_MAX];
    unsigned n = 0, cut_count = 0, out = 0;
    if (count > BOOTINFO_E820_MAX)
        count = BOOTINFO_E820_MAX;
    for (unsigned i = 0; i < count; i++) {
        struct span *s = &spans[n];
        if (!to_pages(&entries[i], s) || s->first >= to || s->end <= from)
            continue;
        s->first = s->first < from ? from : s->first;
        s->end = s->end > to ? to : s->end;
        insert_sorted(cuts, &cut_count, s->first);
        insert_sorted(cuts, &cut_count, s->end);
        n++;
    }
    for (unsigned i = 0; i + 1 < cut_count; i++) {
        uint64_t first = cuts[i], end = cuts[i + 1];
        if (first == end || !piece_usable(spans, n, first, end))
            continue;
        if (out > 0 && ranges[out - 1].first + ranges[out - 1].count == first)
            ranges[out - 1].count += end - first;
        else
            ranges[out++] = (struct e820_range){first, end - first};
    }
    return out;
}
