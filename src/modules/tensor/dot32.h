/* dot32.h - 32 columns of a vector's rows against one token's activations.
 *
 * Weights are integers in bytes: lane r of w[v] holds columns 4 v .. 4 v + 3 of row r, to be
 * multiplied by four activations that are the same for all rows. */
#ifndef FLUID_TENSOR_DOT32_H
#define FLUID_TENSOR_DOT32_H

#include "lanes.h"

#define DOT_VECTORS (QUANT_BLOCK / 4)
#define Q_TOKENS 64 /* that share one unpacking of the weights */

/* Sums of products: in 32 bits, or of neighbours in 16 bits, which dot_sum adds. */
typedef vi dot_sums;

TENSOR_INLINE dot_sums dot_add(dot_sums sums, vi w, const int8_t x[4]) {
#ifdef TENSOR_VNNI
    return vi_add_bytes(sums, w, vi_broadcast(x));
#else
    return (vi)((vs)sums + (vs)v8i_maddubs(w, vi_broadcast(x)));
#endif
}

TENSOR_INLINE vi dot_sum(dot_sums sums) {
#ifdef TENSOR_VNNI
    return sums;
#else
    return v8i_madd(sums, (vi){0} + 0x10001);
#endif
}

/* count vectors; without VNNI count * 2 * 127 * the largest weight < 32768. */
TENSOR_INLINE dot_sums dot_run(const vi *w, const int8_t *x, int count) {
    dot_sums sums = {0};
    for (int v = 0; v < count; v++)
        sums = dot_add(sums, w[v], x + 4 * v);
    return sums;
}

/* Bytes with a sign, as dot_signed wants them: with VNNI 128 more, and without a sign. */
TENSOR_INLINE vi dot_signed_weights(vi w) {
#ifdef TENSOR_VNNI
    return w ^ (int32_t)0x80808080;
#else
    return w;
#endif
}

/* Dot product of 32 columns; weights are bytes with a sign. */
TENSOR_INLINE vi dot_signed(const vi w[DOT_VECTORS], const struct act_q8 *x) {
#ifdef TENSOR_VNNI
    vi dot = vi_broadcast(&x->offset) * 16;
    for (int v = 0; v < DOT_VECTORS; v += 4)
        dot += dot_run(w + v, x->q + 4 * v, 4);
#else
    vi dot = {0};
    for (int v = 0; v < DOT_VECTORS; v++) {
        vi xv = vi_broadcast(x->q + 4 * v);
#ifdef __AVX2__
        dot += dot_sum(v8i_maddubs(v8i_abs(w[v]), v8i_sign(xv, w[v])));
#else
        vi even = v8i_madd((vi)((vs)((vw)w[v] << 8) >> 8), (vi)((vs)((vw)xv << 8) >> 8));
        dot += even + v8i_madd((vi)((vs)w[v] >> 8), (vi)((vs)xv >> 8));
#endif
    }
#endif
    return dot;
}

#endif
