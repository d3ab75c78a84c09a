/* cache_key.h - the key of a cache entry: SHA-256 of all that its content depends on. */
#ifndef KERNEL_CACHE_CACHE_KEY_H
#define KERNEL_CACHE_CACHE_KEY_H

#include <stdint.h>

#include "fluid/cache.h"
#include "load/sha256.h"

#define CACHE_KEY_FORMAT 1u /* of what the entries hold */

struct cache_key_fields {
    uint32_t kernel_abi;
    uint64_t cpu_mask; /* enum fluid_cpu_feature, those that may be used */
    uint64_t xcr0;
    const char *toolchain, *flags;
    uint8_t bitcode[SHA256_SIZE]; /* digest of it */
    const char *plan;             /* canonical text */
    uint32_t rows, cols;          /* shape, 0: any */
    const char *quant;
};

/* Other owner: site_scons/fluid/cachekey.py. */
void cache_key(const struct cache_key_fields *f, uint8_t key[CACHE_KEY_SIZE]);
#endif
