/* qmatmul.h - matrix times batch for block-quantised weights and 8-bit activations.
 *
 * A template: the including module defines, for its block format,
 *     Q_VECTORS                   vectors of one unpacked block, of weights as of activations
 *     struct q_block              the block as stored in the GGUF
 *     struct q_scales             the scales of one block of each row of a group
 *     q_unpack(v, block)          weights of one block to vectors
 *     q_activations(v, x)         activations of one block to vectors
 *     q_dots(w, x)                32-bit lane r = exact dot product of row r of the group
 *     q_scales_of(block)          scales of one block of each row
 *     q_accumulate(acc, dots, s, x)   lane r += the block's contribution to row r
 * and then calls q_matmul. Rows go in groups of four, one lane each. Per (row, token), blocks are
 * accumulated in ascending order in one lane, whatever n and the row's place in its group: a token's
 * result does not depend on the batch it is in. */
#ifndef FLUID_TENSOR_QMATMUL_H
#define FLUID_TENSOR_QMATMUL_H

#include "simd.h"
#include "fluid/tensor.h"

#define Q_TOKENS 32    /* tokens that share one unpacked tile */
#define Q_TILE 8       /* blocks per tile: with Q_VECTORS 4 and 4 rows, 2 KiB */
#define Q_BATCH_MIN 3  /* from so many tokens on, storing unpacked weights pays */

/* The weights of a group of rows; a group at the end repeats its last row, its lanes are dropped. */
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

/* One token: weights are unpacked in registers. Returns the group's results. */
TENSOR_INLINE __m128 q_single(const struct q_rows *group, const struct act_q8 *x, uint32_t blocks) {
    __m128 acc = _mm_setzero_ps();
    for (uint32_t b = 0; b < blocks; b++) {
        struct q_rows at = q_rows_block(group, b);
        __m128i activations[Q_VECTORS], weights[ROW_GROUP][Q_VECTORS];
        q_activations(activations, &x[b]);
        for (uint32_t i = 0; i < ROW_GROUP; i++)
            q_unpack(weights[i], at.row[i]);
        __m128i dots = q_dots(weights, activations);
        acc = q_accumulate(acc, dots, q_scales_of(at.row), &x[b]);
    }
    return acc;
}

/* Up to Q_TOKENS tokens: a tile of blocks is unpacked to the stack and serves all of them. */
TENSOR_INLINE void q_batch(__m128 acc[Q_TOKENS], const struct q_rows *group,
                           const struct act_q8 *x, uint32_t blocks, uint32_t n) {
    __m128i weights[Q_TILE][ROW_GROUP][Q_VECTORS];
    struct q_scales scales[Q_TILE];
    for (uint32_t t = 0; t < n; t++)
        acc[t] = _mm_setzero_ps();
    for (uint32_t first = 0; first < blocks; first += Q_TILE) {
        uint32_t count = blocks - first < Q_TILE ? blocks - first : Q_TILE;
        for (uint32_t b = 0; b < count; b++) {
            struct q_rows at = q_rows_block(group, first + b);
            for (uint32_t i = 0; i < ROW_GROUP; i++)
                q_unpack(weights[b][i], at.row[i]);
            scales[b] = q_scales_of(at.row);
        }
        for (uint32_t t = 0; t < n; t++) {
            const struct act_q8 *xt = x + (size_t)t * blocks + first;
            __m128 sum = acc[t];
            for (uint32_t b = 0; b < count; b++) {
                __m128i activations[Q_VECTORS], loaded[ROW_GROUP][Q_VECTORS];
                q_activations(activations, &xt[b]);
                for (uint32_t i = 0; i < ROW_GROUP; i++)
                    for (uint32_t v = 0; v < Q_VECTORS; v++)
                        loaded[i][v] = load_bytes(&weights[b][i][v]);
                sum = q_accumulate(sum, q_dots(loaded, activations), scales[b], &xt[b]);
            }
            acc[t] = sum;
        }
    }
}

/* The operation of tensor.h; w (rows, cols / 32), x (n, cols / 32). */
TENSOR_INLINE void q_matmul(float *out, uint32_t out_stride, const struct q_block *w,
                            const struct act_q8 *x, uint32_t rows, uint32_t cols, uint32_t n) {
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
