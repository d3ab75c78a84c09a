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

#include "fluid/tensor.h"
#include "lanes.h"
#ifdef TENSOR_VNNI
#include "qgroup_vnni.h"
#else
#include "qgroup.h"
#endif

#define Q_TOKENS 64 /* tokens that share one load of the weights */
#define Q_BATCH_MIN 2

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
        struct q_group loaded;
        q_group_load(&loaded, &at);
        for (uint32_t t = 0; t < n; t++) {
            const struct act_q16 *xt = x + (size_t)t * blocks + b;
            acc[t] = q_accumulate(acc[t], q_dots(&loaded, &at, xt), scales, xt);
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
