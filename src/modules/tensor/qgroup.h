/* qgroup.h - part of qmatmul.h's template: one block of each of four rows against activations, row
 * by row in vectors of 16 bytes. */
#ifndef FLUID_TENSOR_QGROUP_H
#define FLUID_TENSOR_QGROUP_H

#include "fluid/tensor.h"
#include "qrows.h"
#include "wide.h"

/* Weights of one block of each row as stored. */
struct q_group {
    __m128i raw[ROW_GROUP][Q_RAW];
};

TENSOR_INLINE void q_group_load(struct q_group *group, const struct q_rows *at) {
    for (uint32_t i = 0; i < ROW_GROUP; i++)
        q_load(group->raw[i], at->row[i]);
}

TENSOR_INLINE void q_activations(__m128i v[Q_VECTORS], const struct act_q16 *x) {
    for (int i = 0; i < Q_VECTORS; i++)
        v[i] = load_bytes(x->q + 8 * i);
}

/* 32-bit lanes that add up to the dot product: 32 * 128 * 32767 < 2^27. PMADDWD is a function call
 * for an emulator, but splitting q in two for PMULLW needs more registers than there are. */
TENSOR_INLINE __m128i q_dot(const __m128i w[Q_VECTORS], const __m128i x[Q_VECTORS]) {
    __m128i low = _mm_add_epi32(_mm_madd_epi16(w[0], x[0]), _mm_madd_epi16(w[1], x[1]));
    __m128i high = _mm_add_epi32(_mm_madd_epi16(w[2], x[2]), _mm_madd_epi16(w[3], x[3]));
    return _mm_add_epi32(low, high);
}

/* Sixteen registers hold the stored weights of a group; with eight, loading again is cheaper. */
TENSOR_INLINE void q_reload(__m128i raw[Q_RAW], const struct q_block *block) {
#ifdef __x86_64__
    (void)block;
    for (uint32_t v = 0; v < Q_RAW; v++)
        raw[v] = as_computed(raw[v]);
#else
    q_load(raw, block);
#endif
}

/* Lane r = exact dot product of row r's block, loaded as group, with x. Row by row: the compiler
 * must not unpack ahead and spill that. */
TENSOR_INLINE __m128i q_dots(struct q_group *group, const struct q_rows *at,
                             const struct act_q16 *x) {
    __m128i activations[Q_VECTORS], dots[ROW_GROUP];
    q_activations(activations, x);
    for (uint32_t i = 0; i < ROW_GROUP; i++) {
        __m128i weights[Q_VECTORS];
        q_reload(group->raw[i], at->row[i]);
        q_unpack(weights, group->raw[i]);
        dots[i] = as_computed(q_dot(weights, activations));
    }
    return sum_each_epi32(dots);
}

/* The same of rows that nothing else needs again. With sixteen registers the compiler may do what
 * it likes: while one row waits for memory, others are computed. */
TENSOR_INLINE __m128i q_dots_once(const struct q_rows *at, const struct act_q16 *x) {
#ifdef __x86_64__
    __m128i activations[Q_VECTORS], weights[ROW_GROUP][Q_VECTORS], dots[ROW_GROUP];
    q_activations(activations, x);
    for (uint32_t i = 0; i < ROW_GROUP; i++) {
        __m128i raw[Q_RAW];
        q_load(raw, at->row[i]);
        q_unpack(weights[i], raw);
    }
    for (uint32_t i = 0; i < ROW_GROUP; i++)
        dots[i] = q_dot(weights[i], activations);
    return sum_each_epi32(dots);
#else
    struct q_group group;
    return as_computed(q_dots(&group, at, x));
#endif
}

#endif
