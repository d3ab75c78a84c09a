/* packed.h - rows of block-quantised weights, interleaved by sixteens, and their product with a
 * batch.
 *
 * A template: the including module defines
 *     struct q_block         one row's block as stored in the GGUF
 *     Q_COLS                 weights in it: 32, or 256
 *     Q_ACT                  struct of the activations that go with a block
 *     q_fields[]             what struct q_block consists of (struct q_field)
 *     q_chunk_one(acc, chunk, x, next)  acc, of all rows: + the chunk times x; the chunk at next is
 *                                       fetched meanwhile, if it is not NULL
 *     q_chunk_batch(acc, chunk, x, n, next)  the same for n tokens
 *     q_chunk_row(out, chunk, r)        the chunk's weights of row r as floats
 *     Q_NAME(prefix)         an operation's name: prefix_q4_0
 *     Q_JUMPS                if weights are always fetched ahead: fields of a chunk are read by
 *                            turns, which no processor foresees
 *     Q_FORESEEN             tokens of the largest batch for which they need not be
 *     Q_ROLLED               if the parts of a chunk are a loop (super.h)
 *
 * A chunk is the same block of sixteen rows: each field sixteen times as large, in units of two or
 * four bytes that are row 0's, row 1's .. row 15's. So it takes the place of the sixteen blocks
 * exactly, and what belongs to one column or block of all rows is one vector, or two. A group of
 * sixteen rows is its chunks in the order of columns. Fewer rows at the end stay as stored and
 * become chunks on the stack.
 *
 * Per (row, token), blocks are accumulated in ascending order in one lane, whatever n and the row's
 * place: a token's result does not depend on the batch it is in. */
#ifndef FLUID_TENSOR_PACKED_H
#define FLUID_TENSOR_PACKED_H

#include "fluid/module.h"
#include "fetch.h"

#ifndef Q_JUMPS
#define Q_JUMPS 0
#endif
#define Q_AHEAD 4096 /* bytes that weights are fetched ahead */
#ifndef Q_FORESEEN
#define Q_FORESEEN 3
#endif

TENSOR_INLINE void q_pack(uint8_t *chunk, const struct q_block *const row[PACK_ROWS]) {
    for (size_t f = 0; f < sizeof q_fields / sizeof *q_fields; f++)
        interleave(chunk, (const uint8_t *const *)row, &q_fields[f]);
}

/* Where the chunks of a group are. */
struct q_group {
    const uint8_t *packed;       /* NULL: fewer rows than a group has, as stored */
    const struct q_block *first; /* of block 0 */
    uint32_t rows, blocks;
};

TENSOR_INLINE struct q_group q_group_at(const void *w, uint32_t row, uint32_t rows,
                                        uint32_t blocks) {
    const struct q_block *first = (const struct q_block *)w + (size_t)row * blocks;
    uint32_t left = rows - row;
    return left >= PACK_ROWS ? (struct q_group){(const uint8_t *)first, first, PACK_ROWS, blocks}
                             : (struct q_group){NULL, first, left, blocks};
}

/* Rows that do not exist repeat the last one. One group in a matrix at most: as short code as it
 * gets, for it is compiled together with what is called often. */
TENSOR_SELDOM __attribute__((minsize)) void q_make_chunk(const struct q_group *group, uint32_t b,
                                                         uint8_t *room) {
    const struct q_block *row[PACK_ROWS];
    for (uint32_t r = 0; r < PACK_ROWS; r++)
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

/* One token and a group. Groups come one behind the other, so that what is fetched ahead is always
 * the next to be used. */
TENSOR_INLINE void q_single(float *out, const uint8_t *w, const struct Q_ACT *x, uint32_t blocks,
                            uint32_t ahead) {
    struct q_lanes acc = {0};
    for (uint32_t b = 0; b < blocks; b++, w += Q_CHUNK, x++)
        q_chunk_one(&acc, w, x, ahead == AHEAD_NONE ? NULL : w + ahead);
    for (unsigned half = 0; half < HALVES; half++)
        vf_store(out + LANES * half, acc.half[half], LANES);
}

/* n tokens and the group of row r; x (blocks, stride). */
static void q_batch(float *out, uint32_t out_stride, const void *w, uint32_t r, uint32_t rows,
                    uint32_t blocks, const struct Q_ACT *x, uint32_t stride, uint32_t n,
                    uint32_t ahead) {
    const struct q_group group = q_group_at(w, r, rows, blocks);
    struct q_lanes acc[Q_TOKENS];
    uint8_t room[Q_CHUNK] __attribute__((aligned(64)));
    if (group.packed == NULL)
        ahead = AHEAD_NONE;
    for (uint32_t t = 0; t < n; t++)
        acc[t] = (struct q_lanes){0};
    for (uint32_t b = 0; b < blocks; b++, x += stride) {
        const uint8_t *chunk = q_chunk(&group, b, room);
        q_chunk_batch(acc, chunk, x, n, ahead == AHEAD_NONE ? NULL : chunk + ahead);
    }
    for (uint32_t t = 0; t < n; t++, out += out_stride)
        for (uint32_t half = 0; half < HALVES && LANES * half < group.rows; half++)
            vf_store(out + LANES * half, acc[t].half[half], group.rows - LANES * half);
}

FLUID_EXPORT matmul_fn Q_NAME(matmul);
FLUID_EXPORT row_fn Q_NAME(row);
FLUID_EXPORT pack_fn Q_NAME(pack);

void Q_NAME(matmul)(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                    uint32_t cols, uint32_t n, uint32_t ahead) {
    const uint32_t blocks = cols / Q_COLS;
    uint32_t r = 0;
    if (ahead == 0 || (ahead == AHEAD_NONE && (Q_JUMPS || n > Q_FORESEEN)))
        ahead = Q_AHEAD;
    if (n == 1) {
        q_fetch_activations(x, blocks * sizeof(struct Q_ACT));
        for (; rows - r >= PACK_ROWS; r += PACK_ROWS)
            q_single(out + r, q_group_at(w, r, rows, blocks).packed, x, blocks, ahead);
    }
    for (; r < rows; r += PACK_ROWS)
        for (uint32_t t = 0; t < n; t += Q_TOKENS)
            q_batch(out + (size_t)t * out_stride + r, out_stride, w, r, rows, blocks,
                    (const struct Q_ACT *)x + t, n, n - t < Q_TOKENS ? n - t : Q_TOKENS, ahead);
}

void Q_NAME(row)(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    const struct q_group group = q_group_at(w, r - r % PACK_ROWS, rows, cols / Q_COLS);
    uint8_t room[Q_CHUNK] __attribute__((aligned(64)));
    for (uint32_t b = 0; b < group.blocks; b++, out += Q_COLS)
        q_chunk_row(out, q_chunk(&group, b, room), r % PACK_ROWS);
}

void Q_NAME(pack)(void *out, const void *w, uint32_t cols) {
    const struct q_block *row[PACK_ROWS];
    uint8_t *chunk = out;
    for (uint32_t r = 0; r < PACK_ROWS; r++)
        row[r] = (const struct q_block *)w + (size_t)r * (cols / Q_COLS);
    for (uint32_t b = 0; b < cols / Q_COLS; b++, chunk += Q_CHUNK) {
        q_pack(chunk, row);
        for (uint32_t r = 0; r < PACK_ROWS; r++)
            row[r]++;
    }
}

#endif
