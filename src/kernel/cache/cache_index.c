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

/* Of those in quarantine the one of the earliest boot; what is not on the disk yet is of this one.
 * Of the others the one with the lowest LBA. */
static bool older(const struct cache_row *a, const struct cache_row *b) {
    if (a->quarantined && a->last_use != b->last_use)
        return a->last_use < b->last_use;
    if (a->quarantined && (a->lba == 0) != (b->lba == 0))
        return b->lba == 0;
    return a->lba < b->lba;
}

static struct cache_row *oldest(struct cache *c, bool quarantined) {
    struct cache_row *found = NULL;
    for (uint32_t i = 0; i < c->count; i++) {
        struct cache_row *row = &c->rows[i];
        if (row->quarantined == quarantined && (!found || older(row, found)))
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
        cache_row_drop(c, oldest(c, true));
    if (c->count == CACHE_ENTRIES_MAX)
        cache_row_drop(c, oldest(c, false));
    c->rows[c->count++] = *row;
}

const struct cache_row *cache_find(const struct cache *c, uint16_t kind,
                                   const uint8_t key[CACHE_KEY_SIZE]) {
    const struct cache_row *row = cache_row_find((struct cache *)c, kind, key);
    return row && !row->quarantined ? row : NULL;
}

bool cache_quarantined(const struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE]) {
    const struct cache_row *row = cache_row_find((struct cache *)c, kind, key);
    return row && row->quarantined;
}
