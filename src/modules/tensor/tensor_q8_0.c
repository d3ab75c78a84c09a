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
    v8i w[DOT_VECTORS]; /* as dot_signed wants them */
    v8f scale;
};

TENSOR_INLINE void q_unpack(struct q_part *part, const uint8_t *chunk) {
    for (int v = 0; v < DOT_VECTORS; v++)
        part->w[v] = v8i_load(chunk + Q_FIELD(q) + 32 * v);
    part->scale = v8f_halves(chunk + Q_FIELD(d));
}

TENSOR_INLINE v8f q_add(v8f acc, const struct q_part *part, const struct act_q8 *x) {
    return acc + part->scale * x->d * v8f_of(dot_signed(part->w, x));
}

#ifdef TENSOR_VNNI
/* Of two groups; weights are 128 more, and without a sign. */
struct q_both {
    v16i w[DOT_VECTORS];
    v16f scale;
};

TENSOR_INLINE void q_join(struct q_both *both, const struct q_part part[Q_GROUPS]) {
    dot_join(both->w, part[0].w, part[1].w);
    for (int v = 0; v < DOT_VECTORS; v++)
        both->w[v] ^= (int32_t)0x80808080;
    both->scale = v16f_join(part[0].scale, part[1].scale);
}

TENSOR_INLINE v16f q_add_both(v16f acc, const struct q_both *both, const struct act_q8 *x) {
    v16i dot = v16i_broadcast(&x->offset) * 16;
    return acc + both->scale * x->d * v16f_of(dot_run_both(dot, both->w, x->q, DOT_VECTORS));
}
#endif

TENSOR_INLINE void q_weights(float out[QUANT_BLOCK], const struct q_part *part, uint32_t r) {
    for (int c = 0; c < QUANT_BLOCK; c++)
        out[c] = part->scale[r] * (float)((const int8_t *)&part->w[c / 4])[4 * r + c % 4];
}

#include "block.h"
#include "packed.h"
