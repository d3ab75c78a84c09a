/* scales6.h - Q4_K and Q5_K: eight scales and minima of six bits, one for each 32 columns.
 *
 * The first four stand in the lower six bits of bytes 0 .. 3 and 4 .. 7; of the others four bits
 * are in bytes 8 .. 11, and two on top of the first ones (ggml-quants.c, get_scale_min_k4). */
#ifndef FLUID_TENSOR_SCALES6_H
#define FLUID_TENSOR_SCALES6_H

#include "super.h"

TENSOR_INLINE struct q_factors q_factors(struct q_rows rows) {
    return (struct q_factors){q_f16(rows, Q_AT(d)), -q_f16(rows, Q_AT(dmin))};
}

/* Those of columns 32 i .. 32 i + 31; the twelve bytes begin at byte `at` of the block. */
TENSOR_INLINE void q_scales(struct q_part *part, struct q_rows rows, size_t at, unsigned i) {
    vi scale = q_words(rows, at), min = q_words(rows, at + 4), rest = q_words(rows, at + 8);
    if (i < 4) {
        scale = vi_bits(scale, 0, 63);
        min = vi_bits(min, 0, 63);
    } else {
        scale = vi_bits(rest, 0, 15) | (vi_bits(scale, 6, 3) << 4);
        min = vi_bits(rest, 4, 15) | (vi_bits(min, 6, 3) << 4);
    }
    part->scale[0] = part->scale[1] = vi_bytes(scale, i % 4, i % 4);
    part->min = vi_bytes(min, i % 4, i % 4);
}

/* Of 64 columns, byte i of those from byte `at` of the block on holds i in its low and i + 32 in
 * its high half. */
TENSOR_INLINE void q_high_low(vi w[DOT_VECTORS], struct q_rows rows, size_t at, unsigned i) {
    for (size_t v = 0; v < DOT_VECTORS; v++)
        w[v] = vi_bits(q_words(rows, at + i / 2 * 32 + 4 * v), i % 2 * 4, 15);
}

#endif
