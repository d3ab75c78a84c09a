/* cache_internal.h - what the files of the cache share. */
#ifndef KERNEL_CACHE_CACHE_INTERNAL_H
#define KERNEL_CACHE_CACHE_INTERNAL_H

#include "cache/cache.h"

#define CACHE_SWITCHING 3u /* sectors: zeros behind the last record, two superblocks */

static inline uint32_t cache_payload_sectors(uint32_t size) {
    return size / BLOCK_SECTOR + (size % BLOCK_SECTOR != 0);
}

static inline uint32_t cache_arena_start(const struct cache *c, uint32_t arena) {
    return CACHE_ARENA_LBA + arena * c->arena_sectors;
}

/* Sectors behind the chain's last record. */
static inline uint32_t cache_room(const struct cache *c, const struct cache_chain *chain) {
    return cache_arena_start(c, chain->arena) + c->arena_sectors - chain->at;
}

/* Of the largest record: what a change of arenas keeps leaves room for it. */
static inline uint32_t cache_record_max(const struct cache *c) {
    return c->arena_sectors / 2;
}

static inline uint32_t cache_row_sectors(const struct cache_row *row) {
    return 1 + cache_payload_sectors(row->size);
}

/* cache_io.c: sectors of the partition. Writing may fail with the codes of block_write and
 * block_flush; the cache is then read-only. */
bool cache_io_read(struct cache *c, uint32_t lba, uint32_t count, void *to);
int cache_io_write(struct cache *c, uint32_t lba, uint32_t count, const void *from,
                   struct fluid_error *err);
int cache_io_flush(struct cache *c, struct fluid_error *err);
/* Header, padded payload, and zeros when zeros is true; no flush. */
int cache_io_put(struct cache *c, uint32_t lba, const struct cache_record *header, const void *data,
                 bool zeros, struct fluid_error *err);
/* Reads a payload, into `to` unless that is NULL. */
enum cache_payload {
    CACHE_SOUND,
    CACHE_WRONG, /* it is not what the digest says */
    CACHE_UNREADABLE,
};
enum cache_payload cache_io_payload(struct cache *c, uint32_t lba, uint32_t size,
                                    const uint8_t digest[SHA256_SIZE], void *to);
/* Copies a payload. *sound: it is what the digest says. -1: an error of writing. */
int cache_io_copy(struct cache *c, uint32_t from, uint32_t to, uint32_t size,
                  const uint8_t digest[SHA256_SIZE], bool *sound, struct fluid_error *err);

/* cache_record.c: headers. */
/* The header of a record at the end of a chain; digest: of the padded payload. */
void cache_record_make(struct cache_record *r, uint16_t type, const struct cache_row *row,
                       const struct cache_chain *chain, const uint8_t digest[SHA256_SIZE]);
void cache_record_digest(const void *data, uint32_t size, uint8_t digest[SHA256_SIZE]);
bool cache_record_intact(const struct cache_record *r);
bool cache_record_of_life(const struct cache_record *r, const struct cache_chain *chain,
                          uint32_t lba);
/* The header of an entry's record; false: it is damaged. */
bool cache_record_of(struct cache *c, const struct cache_row *row, struct cache_record *r);
bool cache_sector_is_zero(const void *sector);

/* cache_superblock.c */
/* Fills slots; returns the newest sound superblock of any version, NULL: none. *blank: there has
 * never been one. *unreadable: the disk reports an error. */
const struct cache_superblock *cache_superblocks_read(struct cache *c,
                                                      struct cache_superblock found[2], bool *blank,
                                                      bool *unreadable);
bool cache_slot_tells_of(const struct cache_superblock *slot, const struct cache_chain *chain);
/* Before the first record of a boot: two superblocks that tell of the chain. */
int cache_open(struct cache *c, struct fluid_error *err);
uint32_t cache_opening_cost(const struct cache *c); /* sectors, at most */
/* Makes both superblocks tell of a chain that is on the medium. */
int cache_switch(struct cache *c, const struct cache_chain *chain, struct fluid_error *err);

/* cache_walk.c: the records of the chain, first to last. */
struct cache_walk {
    struct cache_record record;
    uint32_t at, end;              /* where the next one may be, where the arena ends */
    uint8_t link[CACHE_LINK_SIZE]; /* to the record */
};
void cache_walk_begin(struct cache *c, struct cache_walk *w);
/* False: the last one was the last; c->damaged_end tells what follows it. */
bool cache_walk_next(struct cache *c, struct cache_walk *w);

/* cache_index.c: the table in memory. */
struct cache_row *cache_row_find(struct cache *c, uint32_t kind, const uint8_t *key);
struct cache_row *cache_row_at(struct cache *c, uint32_t lba); /* not in quarantine */
void cache_row_drop(struct cache *c, struct cache_row *row);
/* Puts an entry in; where the table is full, in place of the one with the lowest LBA that is not in
 * quarantine, and where the quarantine is, of its oldest. */
void cache_row_keep(struct cache *c, const struct cache_row *row);

/* cache_compact.c */
/* Chooses what the other arena gets: fills order, returns how many; *sectors of their records. */
uint32_t cache_plan(struct cache *c, uint32_t *sectors);
/* To the other arena with the first `planned` of order. Until that is on the medium, nothing has
 * changed. */
int cache_change_arenas(struct cache *c, uint32_t planned, struct fluid_error *err);
#endif
