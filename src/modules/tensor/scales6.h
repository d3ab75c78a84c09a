/* scales6.h - Q4_K and Q5_K: eight scales and minima of six bits, one for each 32 columns.
 *
 * The first four stand in the lower six bits of bytes 0 .. 3 and 4 .. 7; of the others four bits
 * are in bytes 8 .. 11, and two on top of the first ones (ggml-quants.c, get_scale_min_k4). */
#ifndef FLUID_TENSOR_SCALES6_H
#define FLUID_TENSOR_SCALES6_H

#include "super.h"

TENSOR_INLINE struct q_factors q_factors(const uint8_t *chunk) {
    return (struct q_factors){v8f_halves(chunk + Q_FIELD(d)), -v8f_halves(chunk + Q_FIELD(dmin))};
}

/* Those of columns 32 i .. 32 i + 31; packed: the twelve bytes of eight rows, as in a chunk. */
TENSOR_INLINE void q_scales(struct q_part *part, const uint8_t *packed, unsigned i) {
    v8i scale = v8i_load(packed), min = v8i_load(packed + 32), rest = v8i_load(packed + 64);
    if (i < 4) {
        scale = v8i_bits(scale, 0, 63);
        min = v8i_bits(min, 0, 63);
    } else {
        scale = v8i_bits(rest, 0, 15) | (v8i_bits(scale, 6, 3) << 4);
        min = v8i_bits(rest, 4, 15) | (v8i_bits(min, 6, 3) << 4);
    }
    part->scale[0] = part->scale[1] = v8i_bytes(scale, i % 4, i % 4);
    part->min = v8i_bytes(min, i % 4, i % 4);
}

/* Of 64 columns, byte i of q holds i in its low and i + 32 in its high half. */
TENSOR_INLINE void q_halves(v8i w[DOT_VECTORS], const uint8_t *q, unsigned i) {
    for (int v = 0; v < DOT_VECTORS; v++)
        w[v] = v8i_bits(v8i_load(q + i / 2 * 256 + 32 * v), i % 2 * 4, 15);
}

#endif
