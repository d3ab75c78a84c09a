/* tensor_q3_k.c - module: weights in Q3_K, w = d * (scale - 32) * (q - 4) for each 16. */
#include "interleave.h"

#define Q_COLS 256
#define Q_LARGEST 7
#define Q_JUMPS 1
#define Q_PLACED
#define Q_NAME(prefix) prefix##_q3_k

struct q_block {
    uint8_t high[32];   /* bit b of byte i is bit 2 of weight 32 b + i */
    uint8_t q[64];      /* the rest: of each 128, byte i holds i, i + 32, i + 64, i + 96 */
    uint8_t scales[12]; /* sixteen of six bits */
    uint16_t d;         /* f16 */
};
_Static_assert(sizeof(struct q_block) == 110, "GGUF layout");

static const struct q_field q_fields[] = {{0, 108, 4}, {108, 2, 2}};

#include "super.h"

/* Scales 4 k .. 4 k + 3 of sixteen, in bytes. Four bits of each are in bytes 0 .. 7, first the low
 * halves; two in bytes 8 .. 11. */
TENSOR_INLINE vi four_scales(struct q_rows rows, unsigned k) {
    vi low = vi_bits(q_words(rows, Q_AT(scales) + k % 2 * 4), k / 2 * 4, 15);
    return low | vi_bits(q_words(rows, Q_AT(scales) + 8), 2 * k, 3) << 4;
}

TENSOR_INLINE struct q_pairs q_pairs(struct q_rows rows, unsigned i) {
    vi scales = four_scales(rows, i / 2);
    vi pair = (vi)((vs)vi_bytes(scales, i % 2 * 2, i % 2 * 2 + 1) - 32);
    return (struct q_pairs){pair, pair};
}

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows, unsigned i) {
    const unsigned first = i % 2 * 2; /* of the two scales in their four bytes */
    vi scales = four_scales(rows, i / 2);
    q_quarters(part->w, rows, Q_AT(q), i);
    for (size_t v = 0; v < DOT_VECTORS; v++)
        part->w[v] |= vi_bits(q_words(rows, Q_AT(high) + 4 * v), i, 1) << 2;
    part->scale[0] = (vi)((vs)vi_bytes(scales, first, first) - 32);
    part->scale[1] = (vi)((vs)vi_bytes(scales, first + 1, first + 1) - 32);
    part->min = q_pairs(rows, i).min;
}

#ifdef Q_PLACED
/* v with bit `from` of each byte as bit `to`, the others 0. */
TENSOR_INLINE vi moved_bit(vi v, unsigned from, unsigned to) {
    vi moved = from < to ? v << (to - from) : (vi)((vu)v >> (from - to));
    return moved & (int32_t)(0x01010101u << to);
}

/* Where the two bits are the upper ones of their bytes, there is no room for the third above. */
TENSOR_INLINE unsigned q_placed(vi w[DOT_VECTORS], struct q_rows rows, unsigned i) {
    const unsigned shift = i % 4 == 3 ? 2 : 0, place = i % 4 * 2 - shift;
    for (size_t v = 0; v < DOT_VECTORS; v++) {
        vu low = (vu)q_words(rows, Q_AT(q) + i / 4 * 32 + 4 * v) >> shift;
        vi high = q_words(rows, Q_AT(high) + 4 * v);
        w[v] = ((vi)low & (int32_t)(0x03030303u << place)) | moved_bit(high, i, place + 2);
    }
    return place;
}
#endif

TENSOR_INLINE struct q_factors q_factors(struct q_rows rows) {
    vf d = q_f16(rows, Q_AT(d));
    return (struct q_factors){d, d * -4};
}

#include "packed.h"
