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

TENSOR_INLINE struct q_pairs q_pairs(struct q_rows rows, unsigned i) {
    const unsigned first = i % 2 * 2; /* of the two scales in their four bytes */
    vi both = q_words(rows, Q_AT(scales) + i / 2 * 4);
    return (struct q_pairs){vi_bytes(vi_bits(both, 0, 15), first, first + 1),
                            vi_bytes(vi_bits(both, 4, 15), first, first + 1)};
}

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows, unsigned i) {
    const unsigned first = i % 2 * 2;
    vi scales = vi_bits(q_words(rows, Q_AT(scales) + i / 2 * 4), 0, 15);
    q_quarters(part->w, rows, Q_AT(q), i);
    part->scale[0] = vi_bytes(scales, first, first);
    part->scale[1] = vi_bytes(scales, first + 1, first + 1);
    part->min = q_pairs(rows, i).min;
}

#ifdef Q_PLACED
TENSOR_INLINE unsigned q_placed(vi w[DOT_VECTORS], struct q_rows rows, unsigned i) {
    const unsigned place = i % 4 * 2;
    for (size_t v = 0; v < DOT_VECTORS; v++)
        w[v] = q_words(rows, Q_AT(q) + i / 4 * 32 + 4 * v) & (int32_t)(0x03030303u << place);
    return place;
}
#endif

TENSOR_INLINE struct q_factors q_factors(struct q_rows rows) {
    return (struct q_factors){q_f16(rows, Q_AT(d)), -q_f16(rows, Q_AT(dmin))};
}

#include "packed.h"
