/* cache_index.c - the table of entries in memory, of fixed size and in no order. */
#include "cache/cache_internal.h"
#include "lib/string.h"

struct cache_row *cache_row_find(struct cache *c, uint32_t kind, const uint8_t *key) {
    for (uint32_t i = 0; i < c->count; i++) {
        struct cache_row *row = &c->rows[i];
        if (row->kind == kind && memcmp(row->key, key, CACHE_KEY_SIZE) == 0)
            return row;
    }
    return NULL;
}

struct cache_row *cache_row_at(struct cache *c, uint32_t lba) {
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->rows[i].lba == lba && !c->rows[i].quarantined)
            return &c->rows[i];
    }
    return NULL;
}

void cache_row_drop(struct cache *c, struct cache_row *row) {
    *row = c->rows[--c->count];
}

/* The entry with the lowest LBA; of those in quarantine, if so said. */
static struct cache_row *lowest(struct cache *c, bool quarantined) {
    struct cache_row *found = NULL;
    for (uint32_t i = 0; i < c->count; i++) {
        struct cache_row *row = &c->rows[i];
        if ((!quarantined || row->quarantined) && (!found || row->lba < found->lba))
            found = row;
    }
    return found;
}

static uint32_t quarantined(const struct cache *c) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++)
        count += c->rows[i].quarantined;
    return count;
}

void cache_row_keep(struct cache *c, const struct cache_row *row) {
    struct cache_row *old = cache_row_find(c, row->kind, row->key);
    if (old)
        cache_row_drop(c, old);
    if (row->quarantined && quarantined(c) >= CACHE_QUARANTINE_MAX)
        cache_row_drop(c, lowest(c, true));
    if (c->count == CACHE_ENTRIES_MAX)
        cache_row_drop(c, lowest(c, false));
    c->rows[c->count++] = *row;
}

const struct cache_row *cache_find(const struct cache *c, uint16_t kind,
                                   const uint8_t key[CACHE_KEY_SIZE]) {
    const struct cache_row *row = cache_row_find((struct cache *)c, kind, key);
    return row && !row->quarantined ? row : NULL;
}
