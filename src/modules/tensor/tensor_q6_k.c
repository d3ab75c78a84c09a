/* tensor_q6_k.c - module: weights in Q6_K, w = d * scale * (q - 32) for each 16. */
#include "interleave.h"

#define Q_COLS 256
#define Q_LARGEST 63
#define Q_JUMPS 1
#define Q_NAME(prefix) prefix##_q6_k
#ifdef __AVX2__
#define Q_ROLLED
#endif

struct q_block {
    uint8_t low[128]; /* of each 128 weights, byte i holds four bits of i and i + 64 */
    uint8_t high[64]; /* of each 128 weights, byte i: two bits of i, i + 32, i + 64, i + 96 */
    int8_t scales[16];
    uint16_t d; /* f16 */
};
_Static_assert(sizeof(struct q_block) == 210, "GGUF layout");

static const struct q_field q_fields[] = {{0, 208, 4}, {208, 2, 2}};

#include "super.h"

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows, unsigned i) {
    const unsigned first = i % 2 * 2; /* of the two scales in their four bytes */
    const size_t low = Q_AT(low) + i / 4 * 64 + i % 2 * 32;
    vi scales = q_words(rows, Q_AT(scales) + i / 2 * 4);
    q_quarters(part->w, rows, Q_AT(high), i);
    for (size_t v = 0; v < DOT_VECTORS; v++)
        part->w[v] = part->w[v] << 4 | vi_bits(q_words(rows, low + 4 * v), i % 4 / 2 * 4, 15);
    part->scale[0] = vi_signed_bytes(scales, first, first);
    part->scale[1] = vi_signed_bytes(scales, first + 1, first + 1);
    part->min = vi_signed_bytes(scales, first, first + 1);
}

TENSOR_INLINE struct q_factors q_factors(struct q_rows rows) {
    vf d = q_f16(rows, Q_AT(d));
    return (struct q_factors){d, d * -32};
}

#include "packed.h"
