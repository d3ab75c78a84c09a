/* cache_read.c - entries as they were put, and the search for damage. */
#include "cache/cache_internal.h"

int cache_read(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], void *to,
               size_t capacity, uint32_t *size, struct fluid_error *err) {
    struct cache_row *row = cache_row_find(c, kind, key);
    struct cache_record header;
    if (!row || row->quarantined) {
        c->misses++;
        return fluid_fail(err, "E-CACHE-09",
                          "an entry of this key expected in the cache, none found; make it");
    }
    if (capacity < row->size)
        return fluid_fail(err, "E-CACHE-11",
                          "room for %u bytes of an entry expected, found %zu; give more", row->size,
                          capacity);
    bool in_chain = cache_record_of(c, row, &header);
    if (!in_chain ||
        cache_io_payload(c, row->lba + 1, row->size, header.payload_sha256, to) != CACHE_SOUND) {
        uint32_t lba = row->lba;
        c->broken |= !in_chain;
        c->rejected++;
        c->misses++;
        cache_row_drop(c, row);
        return fluid_fail(err, "E-CACHE-10",
                          "the entry at sector %u of the cache expected as it was written, found "
                          "damaged; it is dropped, make it again",
                          lba);
    }
    c->hits++;
    *size = row->size;
    if (row->last_use != c->clock) {
        row->last_use = c->clock;
        row->dirty = true;
    }
    return 0;
}

struct cache_findings cache_verify(struct cache *c) {
    struct cache_superblock found[2];
    struct cache_findings f = {0};
    struct cache_walk w;
    bool blank, unreadable;
    if (c->chain.life == 0) {
        f.bad_superblocks = c->empty == CACHE_DAMAGED ? 2 : 0;
        return f;
    }
    cache_superblocks_read(c, found, &blank, &unreadable);
    for (unsigned i = 0; i < 2; i++)
        f.bad_superblocks += !cache_slot_tells_of(&found[i], &c->chain);
    cache_walk_begin(c, &w);
    while (cache_walk_next(c, &w)) {
        const struct cache_record *r = &w.record;
        f.records++;
        if (cache_io_payload(c, (uint32_t)r->lba + 1, r->payload_size, r->payload_sha256, NULL) ==
            CACHE_SOUND)
            continue;
        f.bad_records++;
        struct cache_row *row = cache_row_at(c, (uint32_t)r->lba);
        if (row)
            cache_row_drop(c, row);
    }
    c->broken |= w.at < c->chain.at;
    f.damaged_end = c->damaged_end;
    return f;
}
