/* cache_io.c - sectors of the cache partition: read, written, flushed, hashed on the way. */
#include "cache/cache_internal.h"
#include "lib/string.h"

#define WHAT "the cache"

static const uint8_t zero_sector[BLOCK_SECTOR] __attribute__((aligned(2)));

bool cache_io_read(struct cache *c, uint32_t lba, uint32_t count, void *to) {
    struct fluid_error ignored;
    return block_read(c->device, c->lba + lba, count, to, WHAT, &ignored) == 0;
}

int cache_io_write(struct cache *c, uint32_t lba, uint32_t count, const void *from,
                   struct fluid_error *err) {
    c->written += (uint64_t)count * BLOCK_SECTOR;
    if (block_write(c->device, c->lba + lba, count, from, WHAT, err) == 0)
        return 0;
    c->read_only = CACHE_WRITE_ERROR;
    return -1;
}

int cache_io_flush(struct cache *c, struct fluid_error *err) {
    if (block_flush(c->device, err) == 0)
        return 0;
    c->read_only = CACHE_WRITE_ERROR;
    return -1;
}

/* Sectors that are written through the buffer, in order. */
struct stream {
    uint32_t lba;  /* of the buffer's first sector */
    uint32_t used; /* bytes of the buffer */
};

static int drain(struct cache *c, struct stream *s, struct fluid_error *err) {
    uint32_t count = cache_payload_sectors(s->used);
    if (count == 0)
        return 0;
    memset(c->buffer + s->used, 0, count * BLOCK_SECTOR - s->used);
    if (cache_io_write(c, s->lba, count, c->buffer, err))
        return -1;
    s->lba += count;
    s->used = 0;
    return 0;
}

static int add(struct cache *c, struct stream *s, const void *data, size_t size,
               struct fluid_error *err) {
    for (const uint8_t *from = data; size > 0;) {
        size_t n = sizeof c->buffer - s->used;
        if (n > size)
            n = size;
        memcpy(c->buffer + s->used, from, n);
        s->used += (uint32_t)n;
        from += n;
        size -= n;
        if (s->used == sizeof c->buffer && drain(c, s, err))
            return -1;
    }
    return 0;
}

int cache_io_put(struct cache *c, uint32_t lba, const struct cache_record *header, const void *data,
                 bool zeros, struct fluid_error *err) {
    struct stream s = {.lba = lba};
    uint32_t size = header->payload_size;
    uint32_t padding = cache_payload_sectors(size) * BLOCK_SECTOR - size;
    if (add(c, &s, header, sizeof *header, err) || add(c, &s, data, size, err) ||
        add(c, &s, zero_sector, padding, err) ||
        add(c, &s, zero_sector, zeros ? BLOCK_SECTOR : 0, err))
        return -1;
    return drain(c, &s, err);
}

enum cache_payload cache_io_payload(struct cache *c, uint32_t lba, uint32_t size,
                                    const uint8_t digest[SHA256_SIZE], void *to) {
    struct sha256 state;
    uint8_t found[SHA256_SIZE], *out = to;
    uint32_t sectors = cache_payload_sectors(size);
    sha256_init(&state);
    while (sectors > 0) {
        uint32_t count = sectors < CACHE_BUFFER_SECTORS ? sectors : CACHE_BUFFER_SECTORS;
        uint32_t bytes = count * BLOCK_SECTOR, wanted = bytes < size ? bytes : size;
        if (!cache_io_read(c, lba, count, c->buffer))
            return CACHE_UNREADABLE;
        sha256_update(&state, c->buffer, bytes);
        if (out) {
            memcpy(out, c->buffer, wanted);
            out += wanted;
        }
        size -= wanted;
        lba += count;
        sectors -= count;
    }
    sha256_final(&state, found);
    return memcmp(found, digest, SHA256_SIZE) == 0 ? CACHE_SOUND : CACHE_WRONG;
}

int cache_io_copy(struct cache *c, uint32_t from, uint32_t to, uint32_t size,
                  const uint8_t digest[SHA256_SIZE], bool *sound, struct fluid_error *err) {
    struct sha256 state;
    uint8_t found[SHA256_SIZE];
    uint32_t sectors = cache_payload_sectors(size);
    *sound = false;
    sha256_init(&state);
    while (sectors > 0) {
        uint32_t count = sectors < CACHE_BUFFER_SECTORS ? sectors : CACHE_BUFFER_SECTORS;
        if (!cache_io_read(c, from, count, c->buffer))
            return 0;
        if (cache_io_write(c, to, count, c->buffer, err))
            return -1;
        sha256_update(&state, c->buffer, count * BLOCK_SECTOR);
        from += count;
        to += count;
        sectors -= count;
    }
    sha256_final(&state, found);
    *sound = memcmp(found, digest, SHA256_SIZE) == 0;
    return 0;
}
