/* qgroup_vnni.h - part of qmatmul.h's template: one block of each of four rows against activations,
 * all rows at once in vectors of 64 bytes, with AVX-512 VNNI.
 *
 * Integer sums are exact in any order, so the results are those of qgroup.h bit for bit. VPDPWSSD
 * multiplies 16-bit integers; the 8-bit VPDPBUSD would need coarser activations. */
#ifndef FLUID_TENSOR_QGROUP_VNNI_H
#define FLUID_TENSOR_QGROUP_VNNI_H

#include "fluid/tensor.h"
#include "qrows.h"
#include "wide.h"

/* Weights of one block of each row, unpacked: thirty-two registers hold them for all tokens. */
struct q_group {
    __m512i weights[Q_VECTORS]; /* 128-bit lane r: of row r */
};

TENSOR_INLINE void q_group_load(struct q_group *group, const struct q_rows *at) {
    __m128i raw[ROW_GROUP][Q_RAW];
    __m512i rows[Q_RAW];
    for (int i = 0; i < ROW_GROUP; i++)
        q_load(raw[i], at->row[i]);
    for (int v = 0; v < Q_RAW; v++) {
        rows[v] = _mm512_castsi128_si512(raw[0][v]);
        rows[v] = _mm512_inserti32x4(rows[v], raw[1][v], 1);
        rows[v] = _mm512_inserti32x4(rows[v], raw[2][v], 2);
        rows[v] = _mm512_inserti32x4(rows[v], raw[3][v], 3);
    }
    q_unpack(group->weights, rows);
}

/* Lane r = sum of the four 32-bit lanes of 128-bit lane r. */
TENSOR_INLINE __m128i sum_lanes_epi32(__m512i v) {
    const __m512i firsts = _mm512_castsi128_si512(_mm_setr_epi32(0, 4, 8, 12));
    v = _mm512_add_epi32(v, _mm512_shuffle_epi32(v, _MM_PERM_BADC));
    v = _mm512_add_epi32(v, _mm512_shuffle_epi32(v, _MM_PERM_CDAB));
    return _mm512_castsi512_si128(_mm512_permutexvar_epi32(firsts, v));
}

/* Each 32-bit lane of sums += the products of two pairs of 16-bit lanes. In assembly: LLVM 19 tuned
 * for no CPU in particular would take _mm512_dpwssd_epi32 apart into VPMADDWD and VPADDD to shorten
 * a chain of them, which is more work where many such chains run side by side. */
TENSOR_INLINE __m512i dot_add(__m512i sums, __m512i a, __m512i b) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
    return sums;
}

/* Lane r = exact dot product of row r's block with x. */
TENSOR_INLINE __m128i q_dots(const struct q_group *group, const struct q_rows *at,
                             const struct act_q16 *x) {
    __m512i sums = _mm512_setzero_si512();
    (void)at;
    for (int i = 0; i < Q_VECTORS; i++) {
        __m512i activations = _mm512_broadcast_i32x4(load_bytes(x->q + 8 * i));
        sums = dot_add(sums, group->weights[i], activations);
    }
    return sum_lanes_epi32(sums);
}

/* The same of rows that nothing else needs again. */
TENSOR_INLINE __m128i q_dots_once(const struct q_rows *at, const struct act_q16 *x) {
    struct q_group group;
    q_group_load(&group, at);
    return q_dots(&group, at, x);
}

#endif
