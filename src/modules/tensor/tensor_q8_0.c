/* tensor_q8_0.c - module: weights in Q8_0, w = d * q. */
#include "interleave.h"

#define Q_COLS 32
#define Q_NAME(prefix) prefix##_q8_0

struct q_block {
    uint16_t d; /* f16 */
    int8_t q[32];
};
_Static_assert(sizeof(struct q_block) == 34, "GGUF layout");

static const struct q_field q_fields[] = {{0, 2, 2}, {2, 32, 4}};

#include "dot32.h"

struct q_part {
    vi w[DOT_VECTORS]; /* as dot_signed wants them */
    vf scale;
};

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows) {
    part->scale = q_f16(rows, Q_AT(d));
    for (size_t v = 0; v < DOT_VECTORS; v++)
        part->w[v] = dot_signed_weights(q_words(rows, Q_AT(q) + 4 * v));
}

TENSOR_INLINE vf q_add(vf acc, const struct q_part *part, const struct act_q8 *x) {
    return acc + part->scale * x->d * vf_of(dot_signed(part->w, x));
}

TENSOR_INLINE void q_weights(float out[QUANT_BLOCK], const struct q_part *part, uint32_t r) {
    for (int c = 0; c < QUANT_BLOCK; c++) {
        const vi w = dot_signed_weights(part->w[c / 4]); /* and back */
        out[c] = part->scale[r] * (float)((const int8_t *)&w)[4 * r + c % 4];
    }
}

#include "block.h"
#include "packed.h"
