/* cache_flips.h - what one flipped bit does to a cache. */
#ifndef CACHE_FLIPS_H
#define CACHE_FLIPS_H

#include "cache/cache.h"

struct flips {
    unsigned long flipped;
    unsigned long unnoticed; /* cache_verify found nothing wrong */
    unsigned long wrong;     /* an entry was not what had been put under its key */
};

/* What was put; the last FLIPS_ENTRIES of it. */
#define FLIPS_ENTRIES 8u
void flips_put(uint16_t kind, const uint8_t *key, const void *data, size_t size);
/* Flips each bit of some sectors of the partition in turn, mounts, and looks. */
struct flips flip_all(struct cache *c, uint8_t *partition, uint32_t lba, uint32_t count);
#endif
