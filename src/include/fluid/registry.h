/* registry.h - the .mod files built into an image, with an index.
 *
 * Owner of the layout: site_scons/fluid/registry.py. stage2 loads the registry without judging it:
 * index and modules carry their own hashes, so that a damaged module costs one variant, not the
 * boot. */
#ifndef FLUID_REGISTRY_H
#define FLUID_REGISTRY_H

#include "fluid/module.h"

#define REGISTRY_MAGIC 0x47455246 /* "FREG" */
#define REGISTRY_VERSION 1

struct registry_header {
    uint32_t magic;
    uint32_t version;
    uint32_t total_size; /* bytes of the whole registry */
    uint32_t count;      /* entries that follow, sorted by name, then rank descending */
    uint8_t sha256[32];  /* over the entries only */
};

struct registry_entry {
    char name[MOD_NAME_SIZE];
    char target[MOD_TARGET_SIZE];
    uint64_t cpu_bits;
    uint32_t rank;
    uint32_t offset; /* of the .mod from the start of the registry, 64-byte aligned */
    uint32_t size;
    uint32_t reserved;
};

_Static_assert(sizeof(struct registry_header) == 48, "layout is shared with registry.py");
_Static_assert(sizeof(struct registry_entry) == 72, "layout is shared with registry.py");
#endif
