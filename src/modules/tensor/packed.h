/* packed.h - rows of block-quantised weights, interleaved by eights, and their product with a
 * batch.
 *
 * A template: the including module defines
 *     struct q_block         one row's block as stored in the GGUF
 *     Q_COLS                 weights in it: 32, or 256
 *     Q_ACT                  struct of the activations that go with a block
 *     q_fields[]             what struct q_block consists of (struct q_field)
 *     q_chunk_one(acc, chunk, x, next)  lane r of the result: acc + the chunk's row r times x; the
 *                                       chunk at next is fetched meanwhile, if it is not NULL
 *     q_chunk_batch(acc, chunks, x, n, nexts)  the same for n tokens and Q_GROUPS chunks
 *     q_chunk_row(out, chunk, r)        the chunk's weights of row r as floats
 *     Q_NAME(prefix)         an operation's name: prefix_q4_0
 *     Q_JUMPS                if fields of a chunk are read by turns, which no processor foresees
 *
 * A chunk is the same block of eight rows: each field eight times as large, in units of two or four
 * bytes that are row 0's, row 1's .. row 7's. So it takes the place of the eight blocks exactly,
 * and what belongs to one column or block of all rows is one vector. A group of eight rows is its
 * chunks in the order of columns. Fewer rows at the end stay as stored and become chunks on the
 * stack.
 *
 * Per (row, token), blocks are accumulated in ascending order in one lane, whatever n and the row's
 * place: a token's result does not depend on the batch it is in. */
#ifndef FLUID_TENSOR_PACKED_H
#define FLUID_TENSOR_PACKED_H

#include "fluid/module.h"
#include "fluid/tensor.h"
#include "fetch.h"
#include "interleave.h"

#ifndef Q_JUMPS
#define Q_JUMPS 0
#endif
#define Q_SINGLES Q_GROUPS /* tokens that are not worth pairs of groups */
#define Q_AHEAD (Q_COLS == SUPER_BLOCK ? 3072 : 2048) /* bytes that weights are fetched ahead */

TENSOR_INLINE void q_pack(uint8_t *chunk, const struct q_block *const row[EIGHT]) {
    for (size_t f = 0; f < sizeof q_fields / sizeof *q_fields; f++)
        interleave(chunk, (const uint8_t *const *)row, &q_fields[f]);
}

/* Where the chunks of a group are. */
struct q_group {
    const uint8_t *packed;       /* NULL: fewer than eight rows, as stored */
    const struct q_block *first; /* of block 0 */
    uint32_t rows, blocks;
};

TENSOR_INLINE struct q_group q_group_at(const void *w, uint32_t row, uint32_t rows,
                                        uint32_t blocks) {
    const struct q_block *first = (const struct q_block *)w + (size_t)row * blocks;
    uint32_t left = rows - row;
    return left >= EIGHT ? (struct q_group){(const uint8_t *)first, first, EIGHT, blocks}
                         : (struct q_group){NULL, first, left, blocks};
}

/* Rows that do not exist repeat the last one. One group in a matrix at most: as short code as it
 * gets, for it is compiled together with what is called often. */
TENSOR_SELDOM __attribute__((minsize)) void q_make_chunk(const struct q_group *group, uint32_t b,
                                                         uint8_t *room) {
    const struct q_block *row[EIGHT];
    for (uint32_t r = 0; r < EIGHT; r++)
        row[r] = group->first + (size_t)(r < group->rows ? r : group->rows - 1) * group->blocks + b;
    q_pack(room, row);
}

/* Chunk b; room is for one that has to be made. */
TENSOR_INLINE const uint8_t *q_chunk(const struct q_group *group, uint32_t b, uint8_t *room) {
    if (group->packed != NULL)
        return group->packed + b * Q_CHUNK;
    q_make_chunk(group, b, room);
    return room;
}

/* One token of stride and a group of eight rows. Groups come one behind the other, so that what is
 * fetched ahead is always the next to be used. */
TENSOR_INLINE void q_single(float *out, const uint8_t *w, const struct Q_ACT *x, uint32_t stride,
                            uint32_t blocks, uint32_t ahead) {
    v8f acc = {0};
    for (uint32_t b = 0; b < blocks; b++, w += Q_CHUNK, x += stride)
        acc = q_chunk_one(acc, w, x, ahead == AHEAD_NONE ? NULL : w + ahead);
    v8f_store(out, acc, EIGHT);
}

/* n tokens and Q_GROUPS groups from row r on; x (blocks, stride). A group that does not exist
 * repeats the first. Two groups at once are nothing that processors foresee: they are fetched. */
static void q_batch(float *out, uint32_t out_stride, const void *w, uint32_t r, uint32_t rows,
                    uint32_t blocks, const struct Q_ACT *x, uint32_t stride, uint32_t n,
                    uint32_t ahead) {
    const size_t bytes = blocks * Q_CHUNK; /* of a group */
    q_lanes acc[Q_TOKENS];
    uint8_t room[Q_GROUPS][Q_CHUNK] __attribute__((aligned(32)));
    struct q_group group[Q_GROUPS];
    for (uint32_t g = 0; g < Q_GROUPS; g++)
        group[g] = q_group_at(w, rows - r > EIGHT * g ? r + EIGHT * g : r, rows, blocks);
    for (uint32_t t = 0; t < n; t++)
        acc[t] = (q_lanes){0};
    for (uint32_t b = 0; b < blocks; b++, x += stride) {
        const uint8_t *chunk[Q_GROUPS], *next[Q_GROUPS];
        const size_t skipped = b * Q_CHUNK + ahead < bytes ? 0 : (Q_GROUPS - 1) * bytes;
        for (uint32_t g = 0; g < Q_GROUPS; g++) {
            chunk[g] = q_chunk(&group[g], b, room[g]);
            next[g] = ahead == AHEAD_NONE ? NULL : chunk[g] + ahead + skipped;
        }
        q_chunk_batch(acc, chunk, x, n, next);
    }
    for (uint32_t t = 0; t < n; t++)
        q_lanes_store(out + (size_t)t * out_stride, acc[t],
                      rows - r < EIGHT * Q_GROUPS ? rows - r : EIGHT * Q_GROUPS);
}

FLUID_EXPORT matmul_fn Q_NAME(matmul);
FLUID_EXPORT row_fn Q_NAME(row);
FLUID_EXPORT pack_fn Q_NAME(pack);

void Q_NAME(matmul)(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                    uint32_t cols, uint32_t n, uint32_t ahead) {
    const uint32_t blocks = cols / Q_COLS;
    uint32_t r = 0;
    ahead = ahead == 0 || (ahead == AHEAD_NONE && Q_JUMPS) ? Q_AHEAD : ahead;
    if (n <= Q_SINGLES)
        q_fetch_activations(x, (size_t)blocks * n * sizeof(struct Q_ACT));
    for (; n <= Q_SINGLES && rows - r >= EIGHT; r += EIGHT)
        for (uint32_t t = 0; t < n; t++)
            q_single(out + (size_t)t * out_stride + r,
                     (const uint8_t *)q_group_at(w, r, rows, blocks).first,
                     (const struct Q_ACT *)x + t, n, blocks, t == 0 ? ahead : AHEAD_NONE);
    for (; r < rows; r += EIGHT * Q_GROUPS)
        for (uint32_t t = 0; t < n; t += Q_TOKENS)
            q_batch(out + (size_t)t * out_stride + r, out_stride, w, r, rows, blocks,
                    (const struct Q_ACT *)x + t, n, n - t < Q_TOKENS ? n - t : Q_TOKENS,
                    Q_GROUPS > 1 && ahead == AHEAD_NONE ? Q_AHEAD : ahead);
}

void Q_NAME(row)(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    const struct q_group group = q_group_at(w, r - r % EIGHT, rows, cols / Q_COLS);
    uint8_t room[Q_CHUNK] __attribute__((aligned(32)));
    for (uint32_t b = 0; b < group.blocks; b++, out += Q_COLS)
        q_chunk_row(out, q_chunk(&group, b, room), r % EIGHT);
}

void Q_NAME(pack)(void *out, const void *w, uint32_t cols) {
    const struct q_block *row[EIGHT];
    uint8_t *chunk = out;
    for (uint32_t r = 0; r < EIGHT; r++)
        row[r] = (const struct q_block *)w + (size_t)r * (cols / Q_COLS);
    for (uint32_t b = 0; b < cols / Q_COLS; b++, chunk += Q_CHUNK) {
        q_pack(chunk, row);
        for (uint32_t r = 0; r < EIGHT; r++)
            row[r]++;
    }
}

#endif
