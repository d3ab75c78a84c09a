/* cache_compact.c - the change of arenas: the hottest entries move, the rest is forgotten. */
#include "cache/cache_internal.h"
#include "lib/string.h"

/* The benefit counts half for every few boots without use. */
static uint64_t heat(const struct cache *c, const struct cache_row *row) {
    uint64_t boots = c->clock > row->last_use ? c->clock - row->last_use : 0;
    uint64_t halvings = boots / CACHE_HEAT_BOOTS;
    return row->benefit >> (halvings < 63 ? halvings : 63);
}

/* Whether entry a goes before b: quarantine, heat, last use, then the place; a total order. */
static bool before(const struct cache *c, const struct cache_row *a, const struct cache_row *b) {
    uint64_t heat_a = heat(c, a), heat_b = heat(c, b);
    if (a->quarantined != b->quarantined)
        return a->quarantined;
    if (heat_a != heat_b)
        return heat_a > heat_b;
    if (a->last_use != b->last_use)
        return a->last_use > b->last_use;
    return a->lba < b->lba;
}

/* Insertion sort: some hundred entries, and not often. */
static void sort(struct cache *c) {
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t at = i;
        for (; at > 0 && before(c, &c->rows[i], &c->rows[c->order[at - 1]]); at--)
            c->order[at] = c->order[at - 1];
        c->order[at] = (uint16_t)i;
    }
}

uint32_t cache_plan(struct cache *c, uint32_t *sectors) {
    uint32_t room = c->arena_sectors - cache_record_max(c), planned = 0;
    *sectors = 0;
    sort(c);
    for (uint32_t i = 0; i < c->count && planned < CACHE_ENTRIES_MAX / 2; i++) {
        const struct cache_row *row = &c->rows[c->order[i]];
        uint32_t limit = row->quarantined ? room / 2 : room;
        uint32_t wanted = cache_row_sectors(row);
        if (wanted <= limit && *sectors <= limit - wanted) {
            *sectors += wanted;
            c->order[planned++] = c->order[i];
        }
    }
    return planned;
}

/* Copies an entry to the end of the chain, header last; *kept: it was sound. */
static int move(struct cache *c, const struct cache_row *row, struct cache_chain *chain, bool *kept,
                struct fluid_error *err) {
    struct cache_record header;
    uint8_t digest[SHA256_SIZE];
    uint16_t type = row->quarantined ? CACHE_QUARANTINE : CACHE_PUT;
    *kept = row->quarantined;
    if (row->quarantined) {
        cache_record_digest(NULL, 0, digest);
    } else {
        if (!cache_record_of(c, row, &header))
            return 0;
        memcpy(digest, header.payload_sha256, sizeof digest);
        if (cache_io_copy(c, row->lba + 1, chain->at + 1, row->size, digest, kept, err))
            return -1;
        if (!*kept)
            return 0;
    }
    cache_record_make(&header, type, row, chain, digest);
    if (cache_io_write(c, chain->at, 1, &header, err))
        return -1;
    chain->at += cache_row_sectors(row);
    memcpy(chain->link, header.sha256, sizeof chain->link);
    return 0;
}

/* The table follows the superblocks: what has moved is where it is now, the rest is gone. */
static void adopt(struct cache *c, const struct cache_chain *chain) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->moved[i] == 0) {
            c->evicted += !c->rows[i].quarantined;
            continue;
        }
        c->rows[count] = c->rows[i];
        c->rows[count].lba = c->moved[i];
        c->rows[count++].dirty = false;
    }
    c->count = count;
    c->chain = *chain;
    c->broken = false;
}

int cache_change_arenas(struct cache *c, uint32_t planned, struct fluid_error *err) {
    struct cache_chain chain = {.arena = 1 - c->chain.arena};
    chain.epoch = c->random();
    chain.life = c->generation + 1;
    chain.at = cache_arena_start(c, chain.arena);
    memset(c->moved, 0, sizeof c->moved);
    for (uint32_t i = 0; i < planned; i++) {
        uint32_t at = chain.at;
        bool kept;
        if (move(c, &c->rows[c->order[i]], &chain, &kept, err))
            return -1;
        if (kept)
            c->moved[c->order[i]] = at;
        else
            c->rejected++;
    }
    memset(c->buffer, 0, BLOCK_SECTOR);
    if (cache_room(c, &chain) > 0 && cache_io_write(c, chain.at, 1, c->buffer, err))
        return -1;
    if (cache_io_flush(c, err))
        return -1;
    int result = cache_switch(c, &chain, err);
    /* One superblock is enough for the change to have happened. */
    if (cache_slot_tells_of(&c->slots[0], &chain) || cache_slot_tells_of(&c->slots[1], &chain))
        adopt(c, &chain);
    if (result)
        return -1;
    c->damaged_end = false;
    c->compactions++;
    return 0;
}
