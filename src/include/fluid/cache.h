/* cache.h - the cache partition: a log that survives a power cut at any moment. Other owner:
 * site_scons/fluid/cachelayout.py; docs/cache.md tells the rules. Little-endian; sectors of 512
 * bytes; LBAs count from the start of the partition.
 *
 *   LBA 0, 8   superblocks; the intact one with the higher generation says which arena is in use
 *   LBA 16     arena 0, then arena 1, of equal size
 *
 * An arena is a chain of records: a header sector, then the payload, padded with zeros to whole
 * sectors; behind the last record a sector of zeros. All records of a chain have the epoch and life
 * of the superblock, and each links to the header before it. */
#ifndef FLUID_CACHE_H
#define FLUID_CACHE_H

#include <stdint.h>

/* MBR type of the partition: set aside for private use (Alternative OS Development Partition
 * Standard, 2002), so that no other system mounts it or makes a file system in it. */
#define CACHE_PARTITION 0x7f
#define CACHE_MAGIC "FLUCACHE" /* without its NUL */
#define CACHE_RECORD_MAGIC 0x43455246u
#define CACHE_VERSION_MAJOR 1 /* another one: the cache counts as empty */
#define CACHE_VERSION_MINOR 0 /* a higher one of a record: the record is skipped */
#define CACHE_SUPERBLOCK_0 0u
#define CACHE_SUPERBLOCK_1 8u
#define CACHE_ARENA_LBA 16u
#define CACHE_ARENA_ALIGN 8u
#define CACHE_SECTORS_MIN 64u
#define CACHE_SECTORS_MAX (1u << 22) /* what lies behind is not used */
#define CACHE_GENERATION_MAX (1ull << 48)
#define CACHE_CLOCK_MAX (1ull << 48)
#define CACHE_ENTRIES_MAX 512u
#define CACHE_QUARANTINE_MAX 64u
#define CACHE_TOUCH_BYTES_MAX 32768u /* payload of one record */
#define CACHE_HEAT_BOOTS 4u
#define CACHE_KEY_SIZE 32u
#define CACHE_LINK_SIZE 16u

/* magic, versions, generation and sha256 stay where they are in all versions. */
struct cache_superblock {
    char magic[8];
    uint16_t version_major, version_minor;
    uint32_t arena;      /* in use: 0 or 1 */
    uint64_t generation; /* one more with every superblock that is written */
    uint64_t epoch;      /* random, new each time that an arena is begun */
    uint64_t life;       /* generation of the first superblock of this epoch */
    uint64_t sectors;    /* of the partition, at most CACHE_SECTORS_MAX */
    uint64_t lba;        /* its own */
    uint8_t zero[424];
    uint8_t sha256[32]; /* over all before */
};

#define CACHE_PUT 1        /* an entry, in place of an older one of its kind and key */
#define CACHE_TOUCH 2      /* payload: struct cache_touch for entries of this chain */
#define CACHE_DELETE 3     /* the entry is no more */
#define CACHE_QUARANTINE 4 /* nor may it come back */

/* All but zero stays where it is in all minor versions. */
struct cache_record {
    uint32_t magic;
    uint16_t version_major, version_minor;
    uint16_t type;
    uint16_t kind; /* of the entry; the log does not ask what that means */
    uint32_t payload_size;
    uint64_t lba; /* its own */
    uint64_t epoch, life;
    uint64_t last_use; /* in boots that wrote something */
    uint64_t benefit;
    uint8_t link[16]; /* first bytes of sha256 of the header before; zeros in the first */
    uint8_t key[32];
    uint8_t payload_sha256[32]; /* padding included */
    uint8_t zero[344];
    uint8_t sha256[32]; /* over all before */
};

struct cache_touch {
    uint64_t lba; /* of the entry's record */
    uint64_t last_use;
    uint64_t benefit;
};

#endif
