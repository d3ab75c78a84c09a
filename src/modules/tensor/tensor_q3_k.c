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
TENSOR_INLINE v8i four_scales(const uint8_t *packed, unsigned k) {
    v8i low = v8i_bits(v8i_load(packed + k % 2 * 32), k / 2 * 4, 15);
    return low | v8i_bits(v8i_load(packed + 64), 2 * k, 3) << 4;
}

TENSOR_INLINE struct q_pairs q_pairs(const uint8_t *chunk, unsigned i) {
    v8i scales = four_scales(chunk + Q_FIELD(scales), i / 2);
    v8i pair = (v8i)((v16s)v8i_bytes(scales, i % 2 * 2, i % 2 * 2 + 1) - 32);
    return (struct q_pairs){pair, pair};
}

TENSOR_INLINE void q_unpack(struct q_part *part, const uint8_t *chunk, unsigned i) {
    const unsigned first = i % 2 * 2; /* of the two scales in their four bytes */
    const v16s bias = (v16s){0} + 32;
    v8i scales = four_scales(chunk + Q_FIELD(scales), i / 2);
    q_quarters(part->w, chunk + Q_FIELD(q), i);
    for (int v = 0; v < DOT_VECTORS; v++)
        part->w[v] |= v8i_bits(v8i_load(chunk + Q_FIELD(high) + 32 * v), i, 1) << 2;
    part->scale[0] = (v8i)((v16s)v8i_bytes(scales, first, first) - bias);
    part->scale[1] = (v8i)((v16s)v8i_bytes(scales, first + 1, first + 1) - bias);
    part->min = q_pairs(chunk, i).min;
}

#ifdef Q_PLACED
/* v with bit `from` of each byte as bit `to`, the others 0. */
TENSOR_INLINE v8i moved_bit(v8i v, unsigned from, unsigned to) {
    v8i moved = from < to ? v << (to - from) : (v8i)((v8u)v >> (from - to));
    return moved & (int32_t)(0x01010101u << to);
}

/* Where the two bits are the upper ones of their bytes, there is no room for the third above. */
TENSOR_INLINE unsigned q_placed(v8i w[DOT_VECTORS], const uint8_t *chunk, unsigned i) {
    const unsigned shift = i % 4 == 3 ? 2 : 0, place = i % 4 * 2 - shift;
    for (int v = 0; v < DOT_VECTORS; v++) {
        v8u low = (v8u)v8i_load(chunk + Q_FIELD(q) + i / 4 * 256 + 32 * v) >> shift;
        v8i high = v8i_load(chunk + Q_FIELD(high) + 32 * v);
        w[v] = ((v8i)low & (int32_t)(0x03030303u << place)) | moved_bit(high, i, place + 2);
    }
    return place;
}
#endif

TENSOR_INLINE struct q_factors q_factors(const uint8_t *chunk) {
    v8f d = v8f_halves(chunk + Q_FIELD(d));
    return (struct q_factors){d, d * -4};
}

#include "packed.h"
