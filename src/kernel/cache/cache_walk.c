/* cache_walk.c - the chain of records on the disk, up to the first header that is not its next. */
#include "cache/cache_internal.h"
#include "lib/string.h"

void cache_walk_begin(struct cache *c, struct cache_walk *w) {
    memset(w, 0, sizeof *w);
    w->at = cache_arena_start(c, c->chain.arena);
    w->end = w->at + c->arena_sectors;
    c->damaged_end = false;
}

static bool follows(const struct cache *c, const struct cache_walk *w) {
    const struct cache_record *r = &w->record;
    return cache_record_intact(r) && r->version_major == CACHE_VERSION_MAJOR &&
           cache_record_of_life(r, &c->chain, w->at) &&
           memcmp(r->link, w->link, sizeof r->link) == 0 &&
           cache_payload_sectors(r->payload_size) < w->end - w->at;
}

bool cache_walk_next(struct cache *c, struct cache_walk *w) {
    if (w->at == w->end)
        return false;
    if (!cache_io_read(c, w->at, 1, &w->record)) {
        c->damaged_end = true;
        if (c->read_only == CACHE_WRITABLE)
            c->read_only = CACHE_READ_ERROR; /* what may lie behind must not be written over */
        return false;
    }
    if (!follows(c, w)) {
        c->damaged_end = !cache_sector_is_zero(&w->record);
        return false;
    }
    memcpy(w->link, w->record.sha256, sizeof w->link);
    w->at += 1 + cache_payload_sectors(w->record.payload_size);
    return true;
}
