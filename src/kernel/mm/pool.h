/* pool.h - memory for machine code and what belongs to it, of modules now and of code compiled on
 * this machine later: aligned, below 2 GiB, where a 32-bit address reaches it.
 *
 * What is protected differently is in different pages: a block of code or data is whole pages,
 * writable when it is given out and when it is given back. Its owner protects it in between, so
 * that code is first writable, then executable, never both. */
#ifndef KERNEL_MM_POOL_H
#define KERNEL_MM_POOL_H

#include <stddef.h>
#include <stdint.h>

enum pool_kind {
    POOL_CODE,     /* granules of 4 KiB; free ones hold INT3 */
    POOL_DATA,     /* 4 KiB */
    POOL_METADATA, /* 64 bytes: tables about code, always writable */
    POOL_KINDS
};

struct pool_stats {
    size_t reserved;     /* bytes of pages that the pool has */
    size_t used, peak;   /* bytes given out, rounded up to granules */
    size_t blocks;       /* given out */
    size_t free_extents; /* between them, none beside another; */
    size_t largest_free; /* bytes of the largest one */
    uint64_t allocations, failures;
};

/* align: power of two. Content undefined. NULL: no memory. First fit, lowest address first. */
void *pool_alloc(enum pool_kind kind, size_t size, size_t align);
/* NULL allowed; panics on what is no block of the pool, as after double free. Neighbours merge;
 * pages without a block go back. */
void pool_free(enum pool_kind kind, void *memory);
struct pool_stats pool_stats(enum pool_kind kind);
const char *pool_name(enum pool_kind kind);
void pool_check(void); /* panics when an invariant does not hold */
#endif
