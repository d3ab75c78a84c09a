/* interleave.h - chunks: the same block of sixteen rows, each field in units that alternate between
 * the rows. */
#ifndef FLUID_TENSOR_INTERLEAVE_H
#define FLUID_TENSOR_INTERLEAVE_H

#include <stddef.h>
#include "lanes.h"

struct q_field {
    uint16_t at, bytes; /* in the block */
    uint16_t unit;      /* bytes: 2 or 4 */
};

/* What a chunk has for the rows of one vector: where units of four bytes, and of two, begin. */
struct q_rows {
    const uint8_t *fours, *twos;
};

TENSOR_INLINE struct q_rows q_rows(const uint8_t *chunk, unsigned half) {
    return (struct q_rows){chunk + 4 * LANES * half, chunk + 2 * LANES * half};
}

/* Bytes at .. at + 3 of each row's block, which are in a field of four-byte units. */
TENSOR_INLINE vi q_words(struct q_rows rows, size_t at) {
    return vi_load(rows.fours + PACK_ROWS * at);
}

/* The f16 at bytes at and at + 1. */
TENSOR_INLINE vf q_f16(struct q_rows rows, size_t at) {
    return vf_halves(rows.twos + PACK_ROWS * at);
}

#define Q_AT(name) offsetof(struct q_block, name)

/* Sixteen bytes of each of four rows: 32-bit lane r of out[i] = lane i of row r. */
TENSOR_INLINE void transpose_4(__m128i out[4], const uint8_t *const row[4], size_t at) {
    __m128i v[4];
    for (int r = 0; r < 4; r++)
        v[r] = load_bytes(row[r] + at);
    __m128i a = _mm_unpacklo_epi32(v[0], v[1]), b = _mm_unpacklo_epi32(v[2], v[3]);
    __m128i c = _mm_unpackhi_epi32(v[0], v[1]), d = _mm_unpackhi_epi32(v[2], v[3]);
    out[0] = _mm_unpacklo_epi64(a, b);
    out[1] = _mm_unpackhi_epi64(a, b);
    out[2] = _mm_unpacklo_epi64(c, d);
    out[3] = _mm_unpackhi_epi64(c, d);
}

/* chunk[PACK_ROWS * field->at ..]: unit 0 of row 0, of row 1 .. of the last row, unit 1 of row 0 ..
 */
TENSOR_INLINE void interleave(uint8_t *chunk, const uint8_t *const row[PACK_ROWS],
                              const struct q_field *field) {
    uint8_t *out = chunk + PACK_ROWS * field->at;
    size_t at = field->at, end = at + field->bytes;
    for (; field->unit == 4 && end - at >= 16; at += 16) {
        for (int four = 0; four < PACK_ROWS / 4; four++) {
            __m128i lanes[4];
            transpose_4(lanes, row + 4 * four, at);
            for (int i = 0; i < 4; i++)
                __builtin_memcpy(out + 4 * PACK_ROWS * i + 16 * four, &lanes[i], sizeof lanes[i]);
        }
        out += 16 * PACK_ROWS;
    }
    for (; at < end; at += field->unit)
        for (int r = 0; r < PACK_ROWS; r++, out += field->unit)
            __builtin_memcpy(out, row[r] + at, field->unit);
}

#endif
