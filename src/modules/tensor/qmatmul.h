/* qmatmul.h - matrix times batch for block-quantised weights and 16-bit activations.
 *
 * A template: the including module defines, for its block format,
 *     Q_RAW                       vectors of one block's weights as stored
 *     struct q_block              the block as stored in the GGUF
 *     struct q_scales             the scales of one block of each row of a group
 *     q_load(raw, block)          weights of one block as stored
 *     q_unpack(v, raw)            the same unpacked, as wide.h describes
 *     q_scales_of(block)          scales of one block of each row
 *     q_accumulate(acc, dots, s, x)   lane r += the block's contribution to row r
 * and then calls q_matmul. Rows go in groups of four, one lane each. Per (row, token), blocks are
 * accumulated in ascending order in one lane, whatever n and the row's place in its group: a
 * token's result does not depend on the batch it is in. */
#ifndef FLUID_TENSOR_QMATMUL_H
#define FLUID_TENSOR_QMATMUL_H

#include "wide.h"

#define Q_TOKENS 64 /* tokens that share one load of the weights */
#define Q_BATCH_MIN 2

/* The weights of a group of rows; a group at the end repeats its last row, its lanes are dropped.
 */
struct q_rows {
    const struct q_block *row[ROW_GROUP]; /* (blocks,) each */
};

TENSOR_INLINE struct q_rows q_rows_at(const struct q_block *w, uint32_t first, uint32_t rows,
                                      uint32_t blocks) {
    struct q_rows group;
    for (uint32_t i = 0; i < ROW_GROUP; i++) {
        uint32_t r = first + i < rows ? first + i : rows - 1;
        group.row[i] = w + (size_t)r * blocks;
    }
    return group;
}

TENSOR_INLINE struct q_rows q_rows_block(const struct q_rows *group, uint32_t block) {
    struct q_rows at;
    for (uint32_t i = 0; i < ROW_GROUP; i++)
        at.row[i] = group->row[i] + block;
    return at;
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

/* Lane r = exact dot product of row r's block, loaded as raw, with x. Row by row: the compiler must
 * not unpack ahead and spill that. */
TENSOR_INLINE __m128i q_dots(__m128i raw[ROW_GROUP][Q_RAW], const struct q_rows *at,
                             const struct act_q16 *x) {
    __m128i activations[Q_VECTORS], dots[ROW_GROUP];
    q_activations(activations, x);
    for (uint32_t i = 0; i < ROW_GROUP; i++) {
        __m128i weights[Q_VECTORS];
        q_reload(raw[i], at->row[i]);
        q_unpack(weights, raw[i]);
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
    __m128i raw[ROW_GROUP][Q_RAW];
    return as_computed(q_dots(raw, at, x));
#endif
}

/* One token. Returns the group's results. */
TENSOR_INLINE __m128 q_single(const struct q_rows *group, const struct act_q16 *x,
                              uint32_t blocks) {
    __m128 acc = _mm_setzero_ps();
    for (uint32_t b = 0; b < blocks; b++) {
        struct q_rows at = q_rows_block(group, b);
        __m128i dots = q_dots_once(&at, &x[b]);
        acc = q_accumulate(acc, dots, q_scales_of(at.row), &x[b]);
    }
    return acc;
}

/* Up to Q_TOKENS tokens: each block of the group is loaded once, its scales are converted once.
 * Unpacking in registers again for every token costs less than loading what was unpacked. */
TENSOR_INLINE void q_batch(__m128 acc[Q_TOKENS], const struct q_rows *group,
                           const struct act_q16 *x, uint32_t blocks, uint32_t n) {
    for (uint32_t t = 0; t < n; t++)
        acc[t] = _mm_setzero_ps();
    for (uint32_t b = 0; b < blocks; b++) {
        struct q_rows at = q_rows_block(group, b);
        struct q_scales scales = q_scales_of(at.row);
        __m128i raw[ROW_GROUP][Q_RAW];
        for (uint32_t i = 0; i < ROW_GROUP; i++)
            q_load(raw[i], at.row[i]);
        for (uint32_t t = 0; t < n; t++) {
            const struct act_q16 *xt = x + (size_t)t * blocks + b;
            acc[t] = q_accumulate(acc[t], q_dots(raw, &at, xt), scales, xt);
        }
    }
}

/* The operation of tensor.h; w (rows, cols / 32), x (n, cols / 32). */
TENSOR_INLINE void q_matmul(float *out, uint32_t out_stride, const struct q_block *w,
                            const struct act_q16 *x, uint32_t rows, uint32_t cols, uint32_t n) {
    uint32_t blocks = cols / QUANT_BLOCK;
    for (uint32_t r = 0; r < rows; r += ROW_GROUP) {
        struct q_rows group = q_rows_at(w, r, rows, blocks);
        uint32_t lanes = rows - r < ROW_GROUP ? rows - r : ROW_GROUP;
        for (uint32_t t = 0; t < n;) {
            __m128 acc[Q_TOKENS];
            uint32_t tokens = n - t < Q_TOKENS ? n - t : Q_TOKENS;
            if (tokens < Q_BATCH_MIN) {
                tokens = 1;
                acc[0] = q_single(&group, x + (size_t)t * blocks, blocks);
            } else {
                q_batch(acc, &group, x + (size_t)t * blocks, blocks, tokens);
            }
            for (uint32_t i = 0; i < tokens; i++)
                store_partial(out + (size_t)(t + i) * out_stride + r, acc[i], lanes);
            t += tokens;
        }
    }
}

#endif
