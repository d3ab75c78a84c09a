/* memory.h - everything that an open model owns, released together. */
#ifndef LLAMA_MEMORY_H
#define LLAMA_MEMORY_H

#include "fluid/kapi.h"

#define MEMORY_BLOCKS 640 /* one per layer (CONFIG_MAX_LAYERS) and some more */

struct memory {
    void *block[MEMORY_BLOCKS];
    uint64_t size[MEMORY_BLOCKS]; /* bytes */
    uint32_t count;
    uint64_t bytes; /* sum of all sizes */
};

/* Zeroed room for count * size bytes, aligned to 64. NULL and E-MEM-02 naming what it was for, when
 * it cannot be had. count 0 gives a pointer that must not be used. */
void *memory_take(struct memory *memory, uint64_t count, uint64_t size, const char *what,
                  struct fluid_error *err);

/* Gives back all blocks but the first keep. */
void memory_release(struct memory *memory, uint32_t keep);

/* Bytes that a block of this size really takes from the system. */
uint64_t memory_cost(uint64_t size);

#endif
