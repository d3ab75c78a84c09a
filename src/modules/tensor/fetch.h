/* fetch.h - part of packed.h's template: weights fetched into the caches before they are used. */
#ifndef FLUID_TENSOR_FETCH_H
#define FLUID_TENSOR_FETCH_H

#include "interleave.h"

#define Q_CHUNK (PACK_ROWS * sizeof(struct q_block))

/* Sums of a token and a group. */
struct q_lanes {
    vf half[HALVES];
};

/* Of the chunk at next, or nothing where that is NULL: what belongs to part i of parts. All lines
 * of a large chunk at once are more than a core keeps track of, and other loads would wait. */
TENSOR_INLINE void q_fetch(const uint8_t *next, unsigned i, unsigned parts) {
    (void)next, (void)i, (void)parts;
#ifdef __AVX2__
    if (next == NULL)
        return;
    for (size_t at = (Q_CHUNK * i / parts + 63) / 64 * 64; at < Q_CHUNK * (i + 1) / parts; at += 64)
        _mm_prefetch((const char *)next + at, _MM_HINT_T0);
#endif
}

/* Activations, which another core may have written: all of them are on their way at once. */
TENSOR_INLINE void q_fetch_activations(const void *x, size_t size) {
    (void)x, (void)size;
#ifdef __AVX2__
    for (size_t at = 0; at < size; at += 64)
        _mm_prefetch((const char *)x + at, _MM_HINT_T0);
#endif
}

#endif
