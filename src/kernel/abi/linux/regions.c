/* regions.c - which addresses a program may use, and for what. The pages are tables.c's. */
#include "abi/linux/space.h"

#include "abi/linux/tables.h"
#include "lib/string.h"

bool space_is_range(uint64_t start, uint64_t size) {
    return start % PAGE_SIZE == 0 && size % PAGE_SIZE == 0 && size > 0 && start >= SPACE_START &&
           start < SPACE_END && size <= SPACE_END - start;
}

/* The first region that ends behind address. */
static unsigned index_of(const struct space *space, uint64_t address) {
    unsigned low = 0, high = space->region_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (space->regions[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct region *space_region(const struct space *space, uint64_t address) {
    unsigned i = index_of(space, address);
    return i < space->region_count && space->regions[i].start <= address ? &space->regions[i]
                                                                         : NULL;
}

static uint64_t charge(const struct region *region) {
    return region->uncharged ? 0 : region->end - region->start;
}

static void insert(struct space *space, unsigned at, const struct region *region) {
    memmove(&space->regions[at + 1], &space->regions[at],
            (space->region_count - at) * sizeof(*region));
    space->regions[at] = *region;
    space->region_count++;
}

static void take_out(struct space *space, unsigned at) {
    space->region_count--;
    memmove(&space->regions[at], &space->regions[at + 1],
            (space->region_count - at) * sizeof(space->regions[0]));
}

/* Programs that grow a region bit by bit have one all the same. */
static void join(struct space *space, unsigned at) {
    if (at == 0 || at >= space->region_count)
        return;
    struct region *left = &space->regions[at - 1], *right = &space->regions[at];
    if (left->end != right->start || left->flags != right->flags || left->source != NULL ||
        right->source != NULL || left->uncharged != right->uncharged)
        return;
    left->end = right->end;
    take_out(space, at);
}

bool space_add(struct space *space, const struct region *region) {
    unsigned at = index_of(space, region->start);
    if (space->region_count == SPACE_REGIONS_MAX ||
        (at < space->region_count && space->regions[at].start < region->end))
        return false;
    insert(space, at, region);
    space->reserved += charge(region);
    join(space, at + 1);
    join(space, at);
    return true;
}

/* No region goes across address any more; there is room for one. */
static void split(struct space *space, uint64_t address) {
    unsigned at = index_of(space, address);
    if (at == space->region_count || space->regions[at].start >= address)
        return;
    struct region right = space->regions[at];
    uint64_t moved = address - right.start;
    space->regions[at].end = address;
    right.start = address;
    right.source = moved < right.source_size ? right.source + moved : NULL;
    right.source_size = moved < right.source_size ? right.source_size - moved : 0;
    insert(space, at + 1, &right);
}

static bool split_both(struct space *space, uint64_t start, uint64_t end) {
    if (space->region_count + 2 > SPACE_REGIONS_MAX)
        return false;
    split(space, start);
    split(space, end);
    return true;
}

bool space_remove(struct space *space, uint64_t start, uint64_t end) {
    if (!split_both(space, start, end))
        return false;
    for (unsigned at = index_of(space, start);
         at < space->region_count && space->regions[at].start < end;) {
        struct region *region = &space->regions[at];
        tables_clear(space, region->start, region->end);
        space->reserved -= charge(region);
        take_out(space, at);
    }
    return true;
}

uint64_t space_covered(const struct space *space, uint64_t start, uint64_t end) {
    uint64_t covered = 0;
    for (unsigned at = index_of(space, start);
         at < space->region_count && space->regions[at].start < end; at++) {
        const struct region *region = &space->regions[at];
        uint64_t low = region->start > start ? region->start : start;
        covered += (region->end < end ? region->end : end) - low;
    }
    return covered;
}

bool space_protect(struct space *space, uint64_t start, uint64_t end, unsigned flags) {
    if (space_covered(space, start, end) != end - start || !split_both(space, start, end))
        return false;
    for (unsigned at = index_of(space, start);
         at < space->region_count && space->regions[at].start < end; at++) {
        space->regions[at].flags = flags;
        tables_protect(space, space->regions[at].start, space->regions[at].end, flags);
    }
    for (unsigned at = index_of(space, end - 1) + 1; at > 0 && space->regions[at - 1].end >= start;
         at--)
        join(space, at);
    return true;
}

uint64_t space_find(const struct space *space, uint64_t size, uint64_t limit) {
    uint64_t top = limit;
    for (unsigned at = space->region_count; at > 0; at--) {
        const struct region *region = &space->regions[at - 1];
        if (region->start >= limit)
            continue;
        if (region->end <= top && top - region->end >= size)
            return top - size;
        top = region->start < top ? region->start : top;
    }
    return top - SPACE_START >= size ? top - size : 0;
}
