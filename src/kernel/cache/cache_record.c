/* cache_record.c - headers of records. Their checksum is SHA-256, as of everything else: there is
 * room for it, and no other sum to write. */
#include <stddef.h>

#include "cache/cache_internal.h"
#include "lib/string.h"

static void digest_of(const void *data, size_t size, uint8_t digest[SHA256_SIZE]) {
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, data, size);
    sha256_final(&state, digest);
}

void cache_record_make(struct cache_record *r, uint16_t type, const struct cache_row *row,
                       const struct cache_chain *chain, const uint8_t digest[SHA256_SIZE]) {
    *r = (struct cache_record){
        .magic = CACHE_RECORD_MAGIC,
        .version_major = CACHE_VERSION_MAJOR,
        .version_minor = CACHE_VERSION_MINOR,
        .type = type,
        .kind = (uint16_t)row->kind,
        .payload_size = row->size,
        .lba = chain->at,
        .epoch = chain->epoch,
        .life = chain->life,
        .last_use = row->last_use,
        .benefit = row->benefit,
    };
    memcpy(r->link, chain->link, sizeof r->link);
    memcpy(r->key, row->key, sizeof r->key);
    memcpy(r->payload_sha256, digest, sizeof r->payload_sha256);
    digest_of(r, offsetof(struct cache_record, sha256), r->sha256);
}

void cache_record_digest(const void *data, uint32_t size, uint8_t digest[SHA256_SIZE]) {
    static const uint8_t zeros[BLOCK_SECTOR];
    struct sha256 state;
    sha256_init(&state);
    if (size > 0)
        sha256_update(&state, data, size);
    sha256_update(&state, zeros, cache_payload_sectors(size) * BLOCK_SECTOR - size);
    sha256_final(&state, digest);
}

bool cache_record_intact(const struct cache_record *r) {
    uint8_t digest[SHA256_SIZE];
    if (r->magic != CACHE_RECORD_MAGIC)
        return false;
    digest_of(r, offsetof(struct cache_record, sha256), digest);
    return memcmp(digest, r->sha256, sizeof digest) == 0;
}

bool cache_record_of_life(const struct cache_record *r, const struct cache_chain *chain,
                          uint32_t lba) {
    return r->lba == lba && r->epoch == chain->epoch && r->life == chain->life;
}

bool cache_record_of(struct cache *c, const struct cache_row *row, struct cache_record *r) {
    return cache_io_read(c, row->lba, 1, r) && cache_record_intact(r) &&
           cache_record_of_life(r, &c->chain, row->lba) && r->type == CACHE_PUT &&
           r->kind == row->kind && r->payload_size == row->size &&
           memcmp(r->key, row->key, sizeof r->key) == 0;
}

bool cache_sector_is_zero(const void *sector) {
    const uint8_t *bytes = sector;
    for (unsigned i = 0; i < BLOCK_SECTOR; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}
