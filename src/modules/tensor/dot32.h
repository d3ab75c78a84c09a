/* dot32.h - 32 columns of eight rows against one token's activations.
 *
 * Weights are integers in bytes: lane r of w[v] holds columns 4 v .. 4 v + 3 of row r, to be
 * multiplied by four activations that are the same for all rows. */
#ifndef FLUID_TENSOR_DOT32_H
#define FLUID_TENSOR_DOT32_H

#include "fluid/tensor.h"
#include "sixteen.h"

#define DOT_VECTORS (QUANT_BLOCK / 4)
#define Q_TOKENS 64 /* that share one unpacking of the weights */

/* Sums of products: in 32 bits, or of neighbours in 16 bits, which dot_sum adds. */
typedef v8i dot_sums;

TENSOR_INLINE dot_sums dot_add(dot_sums sums, v8i w, const int8_t x[4]) {
#ifdef TENSOR_VNNI
    return v8i_add_bytes(sums, w, v8i_broadcast(x));
#else
    return (v8i)((v16s)sums + (v16s)v8i_maddubs(w, v8i_broadcast(x)));
#endif
}

TENSOR_INLINE v8i dot_sum(dot_sums sums) {
#ifdef TENSOR_VNNI
    return sums;
#else
    return v8i_madd(sums, (v8i){0} + 0x10001);
#endif
}

/* count vectors; without VNNI count * 2 * 127 * the largest weight < 32768. */
TENSOR_INLINE dot_sums dot_run(const v8i *w, const int8_t *x, int count) {
    dot_sums sums = {0};
    for (int v = 0; v < count; v++)
        sums = dot_add(sums, w[v], x + 4 * v);
    return sums;
}

#ifdef TENSOR_VNNI
/* The same vectors of two groups. */
TENSOR_INLINE void dot_join(v16i both[DOT_VECTORS], const v8i first[DOT_VECTORS],
                            const v8i second[DOT_VECTORS]) {
    for (int v = 0; v < DOT_VECTORS; v++)
        both[v] = v16i_join(first[v], second[v]);
}

/* count vectors of two groups, added to dot. */
TENSOR_INLINE v16i dot_run_both(v16i dot, const v16i *w, const int8_t *x, int count) {
    for (int v = 0; v < count; v++)
        dot = v16i_add_bytes(dot, w[v], v16i_broadcast(x + 4 * v));
    return dot;
}
#endif

/* Dot product of 32 columns; weights are bytes with a sign. */
TENSOR_INLINE v8i dot_signed(const v8i w[DOT_VECTORS], const struct act_q8 *x) {
    v8i dot = {0};
    for (int v = 0; v < DOT_VECTORS; v++) {
        v8i xv = v8i_broadcast(x->q + 4 * v);
#if defined(TENSOR_VNNI)
        dot = v8i_add_bytes(dot, w[v] ^ (int32_t)0x80808080, xv);
#elif defined(__AVX2__)
        dot += dot_sum(v8i_maddubs(v8i_abs(w[v]), v8i_sign(xv, w[v])));
#else
        v8i even = v8i_madd((v8i)((v16s)((v16u)w[v] << 8) >> 8), (v8i)((v16s)((v16u)xv << 8) >> 8));
        dot += even + v8i_madd((v8i)((v16s)w[v] >> 8), (v8i)((v16s)xv >> 8));
#endif
    }
#ifdef TENSOR_VNNI
    dot += v8i_broadcast(&x->offset) * 16;
#endif
    return dot;
}

#endif
