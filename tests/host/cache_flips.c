/* cache_flips.c - see cache_flips.h. */
#include "cache_flips.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 2048u

static struct {
    uint32_t kind;
    uint8_t key[CACHE_KEY_SIZE];
    size_t size;
    uint8_t data[SIZE];
} put[FLIPS_ENTRIES];
static unsigned puts;
static struct cache remounted;

void flips_put(uint16_t kind, const uint8_t *key, const void *data, size_t size) {
    unsigned i = puts++ % FLIPS_ENTRIES;
    put[i].kind = kind;
    memcpy(put[i].key, key, CACHE_KEY_SIZE);
    put[i].size = size <= SIZE ? size : 0;
    memcpy(put[i].data, data, put[i].size);
}

static uint64_t no_number(void) {
    return 0;
}

static void remount(const struct cache *c) {
    struct fluid_error err;
    if (cache_mount(&remounted, c->device, c->lba, c->sectors, no_number, UINT64_MAX, &err))
        abort();
}

static bool was_put(uint32_t kind, const uint8_t *key, const uint8_t *data, size_t size) {
    for (unsigned i = 0; i < FLIPS_ENTRIES; i++) {
        if (put[i].size == size && put[i].kind == kind && !memcmp(put[i].data, data, size) &&
            !memcmp(put[i].key, key, CACHE_KEY_SIZE))
            return true;
    }
    return false;
}

/* Entries that can be read and are not what was put. */
static unsigned wrong_entries(void) {
    unsigned wrong = 0;
    while (remounted.count > 0) { /* in any order; damaged ones drop out by themselves */
        const struct cache_row row = remounted.rows[0];
        uint8_t data[SIZE];
        uint32_t size;
        struct fluid_error err;
        if (!row.quarantined) {
            if (cache_read(&remounted, (uint16_t)row.kind, row.key, data, SIZE, &size, &err))
                continue;
            wrong += !was_put(row.kind, row.key, data, size);
        }
        remounted.rows[0] = remounted.rows[--remounted.count];
    }
    return wrong;
}

struct flips flip_all(struct cache *c, uint8_t *partition, uint32_t lba, uint32_t count) {
    struct flips f = {0};
    for (uint32_t bit = 0; bit < count * BLOCK_SECTOR * 8; bit++) {
        uint8_t *byte = &partition[lba * BLOCK_SECTOR + bit / 8], mask = (uint8_t)(1 << bit % 8);
        *byte ^= mask;
        f.flipped++;
        remount(c);
        f.wrong += wrong_entries();
        remount(c);
        struct cache_findings v = cache_verify(&remounted);
        f.unnoticed += !v.bad_superblocks && !v.bad_records && !v.damaged_end;
        *byte ^= mask;
    }
    return f;
}
