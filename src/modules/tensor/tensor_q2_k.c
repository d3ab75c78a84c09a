/* tensor_q2_k.c - module: weights in Q2_K, w = d * scale * q - dmin * min for each 16. */
#include "interleave.h"

#define Q_COLS 256
#define Q_LARGEST 3
#define Q_JUMPS 1
#define Q_PLACED
#define Q_NAME(prefix) prefix##_q2_k

struct q_block {
    uint8_t scales[16]; /* low half: scale, high half: min */
    uint8_t q[64];      /* of each 128 weights, byte i holds i, i + 32, i + 64, i + 96 */
    uint16_t d, dmin;   /* f16 */
};
_Static_assert(sizeof(struct q_block) == 84, "GGUF layout");

static const struct q_field q_fields[] = {{0, 80, 4}, {80, 2, 2}, {82, 2, 2}};

#include "super.h"

TENSOR_INLINE struct q_pairs q_pairs(const uint8_t *chunk, unsigned i) {
    const unsigned first = i % 2 * 2;
    v8i both = v8i_load(chunk + Q_FIELD(scales) + i / 2 * 32);
    return (struct q_pairs){v8i_bytes(v8i_bits(both, 0, 15), first, first + 1),
                            v8i_bytes(v8i_bits(both, 4, 15), first, first + 1)};
}

TENSOR_INLINE void q_unpack(struct q_part *part, const uint8_t *chunk, unsigned i) {
    const unsigned first = i % 2 * 2; /* of the two scales in their four bytes */
    v8i scales = v8i_bits(v8i_load(chunk + Q_FIELD(scales) + i / 2 * 32), 0, 15);
    q_quarters(part->w, chunk + Q_FIELD(q), i);
    part->scale[0] = v8i_bytes(scales, first, first);
    part->scale[1] = v8i_bytes(scales, first + 1, first + 1);
    part->min = q_pairs(chunk, i).min;
}

#ifdef Q_PLACED
TENSOR_INLINE unsigned q_placed(v8i w[DOT_VECTORS], const uint8_t *chunk, unsigned i) {
    const unsigned place = i % 4 * 2;
    for (int v = 0; v < DOT_VECTORS; v++)
        w[v] =
            v8i_load(chunk + Q_FIELD(q) + i / 4 * 256 + 32 * v) & (int32_t)(0x03030303u << place);
    return place;
}
#endif

TENSOR_INLINE struct q_factors q_factors(const uint8_t *chunk) {
    return (struct q_factors){v8f_halves(chunk + Q_FIELD(d)), -v8f_halves(chunk + Q_FIELD(dmin))};
}

#include "packed.h"
