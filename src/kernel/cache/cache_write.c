/* cache_write.c - what changes the cache: put, remove, quarantine, touch, clear. A record is
 * written, flushed, and only then counts. */
#include "cache/cache_internal.h"
#include "lib/string.h"

static const char *why_read_only(const struct cache *c) {
    static const char *const reasons[] = {
        [CACHE_WRITABLE] = "",
        [CACHE_DISK_READ_ONLY] = "as the disk is",
        [CACHE_READ_ERROR] = "after an error of reading",
        [CACHE_WRITE_ERROR] = "after an error of writing",
    };
    return reasons[c->read_only];
}

static bool within(const struct cache *c, uint64_t sectors) {
    return c->written <= c->write_limit && sectors * BLOCK_SECTOR <= c->write_limit - c->written;
}

/* Refuses before anything is written. */
static int must_write(struct cache *c, uint64_t sectors, struct fluid_error *err) {
    if (c->read_only != CACHE_WRITABLE)
        return fluid_fail(err, "E-CACHE-05",
                          "a cache that can be written expected, found it read-only, %s; check the "
                          "disk and restart",
                          why_read_only(c));
    if (!within(c, sectors))
        return fluid_fail(err, "E-CACHE-07",
                          "at most %llu bytes written to the cache in one boot expected, found "
                          "%llu and %llu more wanted; restart",
                          (unsigned long long)c->write_limit, (unsigned long long)c->written,
                          (unsigned long long)(sectors * BLOCK_SECTOR));
    return 0;
}

/* Sectors at most that a record of so many takes to write: zeros follow it. */
static uint64_t cost(const struct cache *c, uint32_t sectors) {
    return (uint64_t)sectors + 1 + cache_opening_cost(c);
}

/* Room for a record of so many sectors, and for a new entry if it is one, in a chain that the next
 * boot will find it in. */
static int prepare(struct cache *c, uint32_t sectors, bool grows, struct fluid_error *err) {
    bool full =
        c->broken || cache_room(c, &c->chain) < sectors || (grows && c->count == CACHE_ENTRIES_MAX);
    uint32_t moved = 0, planned = full ? cache_plan(c, &moved) : 0;
    uint64_t all = cost(c, sectors) + (full ? moved + CACHE_SWITCHING : 0);
    if (must_write(c, all, err) || cache_open(c, err))
        return -1;
    return full ? cache_change_arenas(c, planned, err) : 0;
}

/* Writes the record of a row, stores where it is, and flushes. */
static int append(struct cache *c, uint16_t type, struct cache_row *row, const void *data,
                  struct fluid_error *err) {
    struct cache_record header;
    uint8_t digest[SHA256_SIZE];
    uint32_t sectors = cache_row_sectors(row);
    cache_record_digest(data, row->size, digest);
    cache_record_make(&header, type, row, &c->chain, digest);
    if (cache_io_put(c, c->chain.at, &header, data, cache_room(c, &c->chain) > sectors, err) ||
        cache_io_flush(c, err))
        return -1;
    row->lba = c->chain.at;
    c->chain.at += sectors;
    memcpy(c->chain.link, header.sha256, sizeof c->chain.link);
    c->damaged_end = false;
    return 0;
}

static struct cache_row new_row(const struct cache *c, uint16_t kind, const uint8_t *key) {
    struct cache_row row = {.last_use = c->clock, .kind = kind};
    memcpy(row.key, key, sizeof row.key);
    return row;
}

int cache_put(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], const void *data,
              size_t size, uint64_t benefit, struct fluid_error *err) {
    struct cache_row row = new_row(c, kind, key), *old = cache_row_find(c, kind, key);
    size_t most = (size_t)(cache_record_max(c) - 1) * BLOCK_SECTOR;
    if (size == 0 || size > most)
        return fluid_fail(err, "E-CACHE-06",
                          "an entry of 1 to %zu bytes expected, found %zu; make the cache "
                          "partition larger",
                          most, size);
    if (old && old->quarantined)
        return fluid_fail(err, "E-CACHE-08",
                          "an entry that may be kept expected, found its key in quarantine; "
                          "/cache clear forgets that");
    row.size = (uint32_t)size;
    row.benefit = benefit;
    if (prepare(c, cache_row_sectors(&row), !old, err) || append(c, CACHE_PUT, &row, data, err))
        return -1;
    cache_row_keep(c, &row);
    return 0;
}

int cache_remove(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE],
                 struct fluid_error *err) {
    struct cache_row row = new_row(c, kind, key), *old = cache_row_find(c, kind, key);
    if (!old || old->quarantined)
        return 0;
    if (prepare(c, 1, false, err) || append(c, CACHE_DELETE, &row, NULL, err))
        return -1;
    old = cache_row_find(c, kind, key); /* it may have moved, or been left behind */
    if (old)
        cache_row_drop(c, old);
    return 0;
}

int cache_quarantine(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE],
                     struct fluid_error *err) {
    struct cache_row row = new_row(c, kind, key);
    const struct cache_row *old = cache_row_find(c, kind, key);
    if (old && old->quarantined && old->lba)
        return 0;
    row.quarantined = true;
    cache_row_keep(c, &row); /* from now on, whatever the disk says */
    if (prepare(c, 1, false, err) || append(c, CACHE_QUARANTINE, &row, NULL, err))
        return -1;
    cache_row_keep(c, &row);
    return 0;
}

void cache_note(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE],
                uint64_t benefit) {
    struct cache_row *row = cache_row_find(c, kind, key);
    if (row && !row->quarantined && row->benefit != benefit) {
        row->benefit = benefit;
        row->dirty = true;
    }
}

/* The dirty entries' indices into order, by LBA; returns how many. */
static uint32_t dirty_rows(struct cache *c) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t at = count;
        if (!c->rows[i].dirty)
            continue;
        for (; at > 0 && c->rows[c->order[at - 1]].lba > c->rows[i].lba; at--)
            c->order[at] = c->order[at - 1];
        c->order[at] = (uint16_t)i;
        count++;
    }
    return count;
}

int cache_sync(struct cache *c, struct fluid_error *err) {
    static struct cache_touch touches[CACHE_ENTRIES_MAX];
    struct cache_row row = {.last_use = c->clock};
    uint32_t count = dirty_rows(c);
    row.size = count * (uint32_t)sizeof touches[0];
    if (count == 0 || c->read_only != CACHE_WRITABLE || c->broken ||
        cache_room(c, &c->chain) < cache_row_sectors(&row) ||
        !within(c, cost(c, cache_row_sectors(&row))))
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct cache_row *r = &c->rows[c->order[i]];
        touches[i] = (struct cache_touch){r->lba, r->last_use, r->benefit};
    }
    if (cache_open(c, err) || append(c, CACHE_TOUCH, &row, touches, err))
        return -1;
    for (uint32_t i = 0; i < count; i++)
        c->rows[c->order[i]].dirty = false;
    return 0;
}

int cache_clear(struct cache *c, struct fluid_error *err) {
    enum cache_read_only before = c->read_only;
    if (before == CACHE_READ_ERROR)
        c->read_only = CACHE_WRITABLE; /* nothing is left that could be written over */
    if (must_write(c, cost(c, 0) + CACHE_SWITCHING, err)) {
        c->read_only = before;
        return -1;
    }
    if (cache_open(c, err))
        return -1;
    return cache_change_arenas(c, 0, err);
}
