/* cache_mount.c - from the partition to the table in memory. Nothing is written. */
#include "cache/cache_internal.h"
#include "lib/string.h"

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static struct cache_row row_of(const struct cache_record *r) {
    struct cache_row row = {
        .last_use = least(r->last_use, CACHE_CLOCK_MAX),
        .benefit = r->benefit,
        .lba = (uint32_t)r->lba,
        .size = r->payload_size,
        .kind = r->kind,
        .quarantined = r->type == CACHE_QUARANTINE,
    };
    memcpy(row.key, r->key, sizeof row.key);
    return row;
}

static void touch(struct cache *c, const struct cache_touch *t) {
    struct cache_row *row = t->lba <= UINT32_MAX ? cache_row_at(c, (uint32_t)t->lba) : NULL;
    if (row) {
        row->last_use = least(t->last_use, CACHE_CLOCK_MAX);
        row->benefit = t->benefit;
    }
}

/* The payload is checked before any of it counts; it fits in the buffer. */
static void take_touches(struct cache *c, const struct cache_record *r) {
    if (r->payload_size > CACHE_TOUCH_BYTES_MAX ||
        cache_io_payload(c, (uint32_t)r->lba + 1, r->payload_size, r->payload_sha256, NULL) !=
            CACHE_SOUND) {
        c->rejected++;
        return;
    }
    for (uint32_t at = 0; r->payload_size - at >= sizeof(struct cache_touch);
         at += sizeof(struct cache_touch)) {
        struct cache_touch t;
        memcpy(&t, c->buffer + at, sizeof t);
        touch(c, &t);
    }
}

static void take(struct cache *c, const struct cache_record *r) {
    struct cache_row row = row_of(r), *old = cache_row_find(c, r->kind, r->key);
    c->chain.at = (uint32_t)r->lba + 1 + cache_payload_sectors(r->payload_size);
    memcpy(c->chain.link, r->sha256, sizeof c->chain.link);
    if (r->version_minor > CACHE_VERSION_MINOR || r->type < CACHE_PUT || r->type > CACHE_QUARANTINE)
        c->skipped++;
    else if (r->type == CACHE_TOUCH)
        take_touches(c, r);
    else if (old && old->quarantined)
        return;
    else if (r->type == CACHE_DELETE && old)
        cache_row_drop(c, old);
    else if (r->type == CACHE_QUARANTINE || (r->type == CACHE_PUT && r->payload_size > 0))
        cache_row_keep(c, &row);
}

/* Each record was flushed before the next was begun: only the last one's payload may be missing.
 * Then it is as if that record were not there; the next one takes its place. The payloads of the
 * others are checked when they are read. */
static void scan(struct cache *c) {
    struct cache_walk w;
    struct cache_record last;
    enum cache_payload payload = CACHE_SOUND;
    bool any = false;
    cache_walk_begin(c, &w);
    while (cache_walk_next(c, &w)) {
        if (any)
            take(c, &last);
        last = w.record;
        any = true;
    }
    if (any)
        payload = cache_io_payload(c, (uint32_t)last.lba + 1, last.payload_size,
                                   last.payload_sha256, NULL);
    if (payload == CACHE_UNREADABLE && c->read_only == CACHE_WRITABLE)
        c->read_only = CACHE_READ_ERROR; /* it may be whole, and must not be written over */
    if (any && payload == CACHE_SOUND) {
        take(c, &last);
    } else if (any) {
        c->rejected++;
        c->damaged_end = true;
    }
    uint64_t latest = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->rows[i].last_use > latest)
            latest = c->rows[i].last_use;
    }
    c->clock = least(latest + 1, CACHE_CLOCK_MAX);
}

static void choose(struct cache *c) {
    bool blank, unreadable;
    const struct cache_superblock *newest =
        cache_superblocks_read(c, c->slots, &blank, &unreadable);
    if (unreadable && c->read_only == CACHE_WRITABLE)
        c->read_only = CACHE_READ_ERROR;
    c->empty = newest ? CACHE_IN_USE : blank ? CACHE_BLANK : CACHE_DAMAGED;
    c->generation = newest ? newest->generation : 0;
    c->chain.at = cache_arena_start(c, 0);
    if (newest && newest->version_major != CACHE_VERSION_MAJOR) {
        c->empty = CACHE_OTHER_VERSION;
    } else if (newest) {
        c->chain.arena = newest->arena;
        c->chain.epoch = newest->epoch;
        c->chain.life = newest->life;
        c->chain.at = cache_arena_start(c, newest->arena);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (c->slots[i].version_major != CACHE_VERSION_MAJOR)
            memset(&c->slots[i], 0, sizeof c->slots[i]);
    }
}

int cache_mount(struct cache *c, struct block_device *device, uint64_t lba, uint64_t sectors,
                uint64_t (*random)(void), uint64_t write_limit, struct fluid_error *err) {
    if (sectors < CACHE_SECTORS_MIN)
        return fluid_fail(err, "E-CACHE-02",
                          "disk %s, cache partition: at least %u sectors expected, found %llu; "
                          "make it larger",
                          device->name, CACHE_SECTORS_MIN, (unsigned long long)sectors);
    memset(c, 0, sizeof *c);
    c->device = device;
    c->lba = lba;
    c->sectors = (uint32_t)least(sectors, CACHE_SECTORS_MAX);
    c->arena_sectors = (c->sectors - CACHE_ARENA_LBA) / 2 / CACHE_ARENA_ALIGN * CACHE_ARENA_ALIGN;
    c->random = random;
    c->write_limit = write_limit;
    c->read_only = device->write ? CACHE_WRITABLE : CACHE_DISK_READ_ONLY;
    c->clock = 1;
    choose(c);
    if (c->chain.life > 0)
        scan(c);
    return 0;
}
