/* interleave.h - a field of eight blocks in units that alternate between the blocks. */
#ifndef FLUID_TENSOR_INTERLEAVE_H
#define FLUID_TENSOR_INTERLEAVE_H

#include <stddef.h>
#include "eight.h"

/* Where a chunk has the eight rows' field of struct q_block. */
#define Q_FIELD(name) (EIGHT * offsetof(struct q_block, name))

struct q_field {
    uint16_t at, bytes; /* in the block */
    uint16_t unit;      /* bytes: 2 or 4 */
};

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

/* chunk[8 field->at ..]: unit 0 of row 0, of row 1 .. of row 7, unit 1 of row 0 .. */
TENSOR_INLINE void interleave(uint8_t *chunk, const uint8_t *const row[EIGHT],
                              const struct q_field *field) {
    uint8_t *out = chunk + EIGHT * field->at;
    size_t at = field->at, end = at + field->bytes;
    for (; field->unit == 4 && end - at >= 16; at += 16) {
        for (int half = 0; half < 2; half++) {
            __m128i lanes[4];
            transpose_4(lanes, row + 4 * half, at);
            for (int i = 0; i < 4; i++)
                __builtin_memcpy(out + 32 * i + 16 * half, &lanes[i], sizeof lanes[i]);
        }
        out += 16 * EIGHT;
    }
    for (; at < end; at += field->unit)
        for (int r = 0; r < EIGHT; r++, out += field->unit)
            __builtin_memcpy(out, row[r] + at, field->unit);
}

#endif
