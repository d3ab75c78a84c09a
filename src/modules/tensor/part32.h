/* part32.h - part of packed.h's template: one scale and one minimum for 32 columns,
 * w = scale * (integer - Q_OFFSET) + min. The including module has defined Q_LARGEST, the largest
 * integer, and Q_OFFSET: a multiple of 8, and then there is no minimum, or 0. */
#ifndef FLUID_TENSOR_PART32_H
#define FLUID_TENSOR_PART32_H

#include "dot32.h"

/* Vectors that are added up together: as many as fit into 16 bits, where sums have no more. Two
 * sums are ready sooner than one. */
#ifdef TENSOR_VNNI
#define Q_RUN 4
#else
#define Q_RUN (Q_LARGEST <= 15 ? 8 : Q_LARGEST <= 31 ? 4 : 2)
#endif

struct q_part {
    vi w[DOT_VECTORS];
    vf scale, min;
};

TENSOR_INLINE vf q_add(vf acc, const struct q_part *part, const struct act_q8 *x) {
    vi dot = vi_broadcast(&x->offset) * (Q_OFFSET / 8);
    for (int v = 0; v < DOT_VECTORS; v += Q_RUN)
        dot += dot_sum(dot_run(part->w + v, x->q + 4 * v, Q_RUN));
    acc += part->scale * x->d * vf_of(dot);
    return Q_OFFSET == 0 ? acc + part->min * x->sum : acc;
}

TENSOR_INLINE void q_weights(float out[QUANT_BLOCK], const struct q_part *part, uint32_t r) {
    for (int c = 0; c < QUANT_BLOCK; c++) {
        const int integer = ((const uint8_t *)&part->w[c / 4])[4 * r + c % 4] - Q_OFFSET;
        out[c] = part->scale[r] * (float)integer + (Q_OFFSET == 0 ? part->min[r] : 0);
    }
}

/* w[v] += bits 4 v .. 4 v + 3 of each row's 32, as bit 4 of the four bytes: fifth bits. */
TENSOR_INLINE void q_fifth_bits(vi w[DOT_VECTORS], vi bits) {
    for (int v = 0; v < DOT_VECTORS; v++) {
        vi four = (vi)((vu)bits >> (4 * v)) & 15;
        four = (four | four << 7 | four << 14 | four << 21) & 0x01010101;
        w[v] |= four << 4;
    }
}

/* Sixteen bytes of four-bit integers, from byte `at` of the block on: columns 0 .. 15 in the low,
 * 16 .. 31 in the high halves. */
TENSOR_INLINE void q_nibbles(vi w[DOT_VECTORS], struct q_rows rows, size_t at) {
    for (size_t v = 0; v < DOT_VECTORS / 2; v++) {
        vi both = q_words(rows, at + 4 * v);
        w[v] = vi_bits(both, 0, 15);
        w[v + DOT_VECTORS / 2] = vi_bits(both, 4, 15);
    }
}

#endif
