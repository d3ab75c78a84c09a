/* cache.h - the cache partition: entries that survive a power cut at any moment. docs/cache.md has
 * the rules; the model, which writes the same bytes, is site_scons/fluid/cachefile.py.
 *
 * An entry is a payload under a kind and a key, with a benefit (of any unit, the same for all) and
 * the boot of its last use. What cannot be read is missing, what cannot be written is refused: the
 * state of the partition stops nothing. One caller at a time. */
#ifndef KERNEL_CACHE_CACHE_H
#define KERNEL_CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/block.h"
#include "fluid/cache.h"
#include "fluid/kapi.h"
#include "load/sha256.h"

#define CACHE_WRITE_LIMIT (64ull << 20) /* bytes of one boot: a loop must not wear out a disk */
#define CACHE_BUFFER_SECTORS (CACHE_TOUCH_BYTES_MAX / BLOCK_SECTOR)

struct cache_row {
    uint8_t key[CACHE_KEY_SIZE];
    uint64_t last_use, benefit;
    uint32_t lba;  /* of the record; 0: none is written */
    uint32_t size; /* of the payload, bytes */
    uint32_t kind;
    bool quarantined;
    bool dirty; /* last_use or benefit are not what the disk says */
};

/* The records of one life of an arena. */
struct cache_chain {
    uint32_t arena;
    uint32_t at; /* of the next record */
    uint64_t epoch;
    uint64_t life; /* 0: there is none yet */
    uint8_t link[CACHE_LINK_SIZE];
};

enum cache_empty { CACHE_IN_USE, CACHE_BLANK, CACHE_DAMAGED, CACHE_OTHER_VERSION };
enum cache_read_only { CACHE_WRITABLE, CACHE_DISK_READ_ONLY, CACHE_READ_ERROR, CACHE_WRITE_ERROR };

struct cache {
    struct block_device *device;
    uint64_t lba;           /* of the partition */
    uint32_t sectors;       /* of it, as far as they are used */
    uint32_t arena_sectors; /* of each arena */
    uint64_t (*random)(void);
    uint64_t written, write_limit;
    enum cache_empty empty; /* why it holds nothing, at mount */
    enum cache_read_only read_only;
    bool opened;      /* this boot has written superblocks where needed */
    bool damaged_end; /* something else than zeros stood behind the last record */
    bool broken;      /* a header before the last one is damaged: what follows would be lost */
    uint64_t generation;
    struct cache_superblock slots[2]; /* magic[0] 0: damaged, or not ours */
    struct cache_chain chain;
    uint64_t clock; /* of this boot */
    uint32_t skipped, rejected, evicted, compactions, hits, misses;
    uint32_t count;
    struct cache_row rows[CACHE_ENTRIES_MAX];
    uint16_t order[CACHE_ENTRIES_MAX]; /* scratch of a change of arenas */
    uint32_t moved[CACHE_ENTRIES_MAX];
    uint8_t buffer[CACHE_BUFFER_SECTORS * BLOCK_SECTOR] __attribute__((aligned(16)));
};

struct cache_findings {
    uint32_t records, bad_superblocks, bad_records;
    bool damaged_end;
};

/* Finds what the partition holds; writes nothing. random: 64 bits that nobody can foretell. -1 with
 * E-CACHE-02: too small. All else is a state that c->empty and c->read_only tell. */
int cache_mount(struct cache *c, struct block_device *device, uint64_t lba, uint64_t sectors,
                uint64_t (*random)(void), uint64_t write_limit, struct fluid_error *err);

/* NULL: no entry, or one in quarantine. Valid until the next call that writes. */
const struct cache_row *cache_find(const struct cache *c, uint16_t kind,
                                   const uint8_t key[CACHE_KEY_SIZE]);
bool cache_quarantined(const struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE]);
/* Reads the payload, all of it as it was put; the entry counts as used in this boot. -1 with
 * E-CACHE-09: no entry, 10: damaged (it is dropped), 11: capacity is less than its size. */
int cache_read(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], void *to,
               size_t capacity, uint32_t *size, struct fluid_error *err);
/* Reads the whole chain again, superseded records too, and drops damaged entries. */
struct cache_findings cache_verify(struct cache *c);

/* All of these: when 0 is returned, the change survives a power cut; -1 with E-CACHE-05: read-only,
 * 07: this boot has written enough, or with the codes of block_write and block_flush, after which
 * the cache is read-only until the next boot. */
/* Besides: E-CACHE-06: size is not possible, 08: in quarantine. */
int cache_put(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], const void *data,
              size_t size, uint64_t benefit, struct fluid_error *err);
int cache_remove(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE],
                 struct fluid_error *err);
/* The entry is no more, nor may it come back before cache_clear; until the next boot also when -1
 * is returned. */
int cache_quarantine(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE],
                     struct fluid_error *err);
int cache_clear(struct cache *c, struct fluid_error *err);

/* What an entry has been found to be worth; cache_sync writes it, with the last uses. */
void cache_note(struct cache *c, uint16_t kind, const uint8_t key[CACHE_KEY_SIZE],
                uint64_t benefit);
/* -1 only for an error of the disk; where there is no room for it, that is no error. */
int cache_sync(struct cache *c, struct fluid_error *err);
#endif
