/* cache_superblock.c - the two superblocks: which chain is in use. Both tell of the same chain,
 * except while arenas change; then the one that is written last is the one that was in use. */
#include <stddef.h>

#include "cache/cache_internal.h"
#include "lib/string.h"

static const uint32_t places[2] = {CACHE_SUPERBLOCK_0, CACHE_SUPERBLOCK_1};

static void seal(const struct cache_superblock *s, uint8_t digest[SHA256_SIZE]) {
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, s, offsetof(struct cache_superblock, sha256));
    sha256_final(&state, digest);
}

/* Of whatever version. */
static bool sound(const struct cache_superblock *s) {
    uint8_t digest[SHA256_SIZE];
    seal(s, digest);
    return memcmp(s->magic, CACHE_MAGIC, sizeof s->magic) == 0 &&
           memcmp(s->sha256, digest, sizeof digest) == 0 && s->generation <= CACHE_GENERATION_MAX;
}

static bool usable(const struct cache *c, const struct cache_superblock *s, uint32_t lba) {
    return s->arena <= 1 && s->sectors == c->sectors && s->lba == lba && s->life > 0 &&
           s->life <= s->generation;
}

const struct cache_superblock *cache_superblocks_read(struct cache *c,
                                                      struct cache_superblock found[2], bool *blank,
                                                      bool *unreadable) {
    const struct cache_superblock *newest = NULL;
    *blank = true;
    *unreadable = false;
    for (unsigned i = 0; i < 2; i++) {
        struct cache_superblock *s = &found[i];
        if (!cache_io_read(c, places[i], 1, s)) {
            memset(s, 0, sizeof *s);
            *unreadable = true;
            *blank = false;
        }
        *blank = *blank && cache_sector_is_zero(s);
        bool ours = s->version_major == CACHE_VERSION_MAJOR;
        if (!sound(s) || (ours && !usable(c, s, places[i])))
            memset(s, 0, sizeof *s);
        else if (!newest || s->generation > newest->generation)
            newest = s;
    }
    return newest;
}

bool cache_slot_tells_of(const struct cache_superblock *slot, const struct cache_chain *chain) {
    return slot->magic[0] && slot->version_major == CACHE_VERSION_MAJOR &&
           slot->epoch == chain->epoch && slot->life == chain->life;
}

static int write_slot(struct cache *c, unsigned slot, const struct cache_chain *chain,
                      struct fluid_error *err) {
    struct cache_superblock s = {
        .version_major = CACHE_VERSION_MAJOR,
        .version_minor = CACHE_VERSION_MINOR,
        .arena = chain->arena,
        .generation = ++c->generation,
        .epoch = chain->epoch,
        .life = chain->life,
        .sectors = c->sectors,
        .lba = places[slot],
    };
    memcpy(s.magic, CACHE_MAGIC, sizeof s.magic);
    seal(&s, s.sha256);
    if (cache_io_write(c, places[slot], 1, &s, err) || cache_io_flush(c, err))
        return -1;
    c->slots[slot] = s;
    return 0;
}

int cache_switch(struct cache *c, const struct cache_chain *chain, struct fluid_error *err) {
    /* A slot without a superblock has generation 0. */
    unsigned older = c->slots[1].generation < c->slots[0].generation;
    if (write_slot(c, older, chain, err))
        return -1;
    return write_slot(c, 1 - older, chain, err);
}

uint32_t cache_opening_cost(const struct cache *c) {
    return c->opened ? 0 : 3;
}

/* The first chain of a partition. */
static int begin(struct cache *c, struct fluid_error *err) {
    struct cache_chain chain = c->chain;
    memset(c->buffer, 0, BLOCK_SECTOR);
    if (cache_io_write(c, chain.at, 1, c->buffer, err) || cache_io_flush(c, err))
        return -1;
    chain.epoch = c->random();
    chain.life = c->generation + 1;
    if (cache_switch(c, &chain, err))
        return -1;
    c->chain = chain;
    return 0;
}

int cache_open(struct cache *c, struct fluid_error *err) {
    if (c->opened)
        return 0;
    if (c->chain.life == 0 && begin(c, err))
        return -1;
    for (unsigned i = 0; i < 2; i++) {
        if (!cache_slot_tells_of(&c->slots[i], &c->chain) && write_slot(c, i, &c->chain, err))
            return -1;
    }
    c->opened = true;
    c->empty = CACHE_IN_USE;
    return 0;
}
