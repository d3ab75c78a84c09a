/* tensor_q5_k.c - module: weights in Q5_K, w = d * scale * q - dmin * min for each 32. */
#include "interleave.h"

#define Q_COLS 256
#define Q_LARGEST 31
#define Q_FORESEEN 1 /* fifth bits and the others are far from each other */
#define Q_NAME(prefix) prefix##_q5_k
#ifdef TENSOR_VNNI
#define Q_ROLLED
#endif

struct q_block {
    uint16_t d, dmin;   /* f16 */
    uint8_t scales[12]; /* scales6.h */
    uint8_t high[32];   /* bit b of byte i is bit 4 of weight 32 b + i */
    uint8_t q[128];     /* the rest: of each 64 weights, byte i holds i and i + 32 */
};
_Static_assert(sizeof(struct q_block) == 176, "GGUF layout");

static const struct q_field q_fields[] = {{0, 2, 2}, {2, 2, 2}, {4, 12, 4}, {16, 160, 4}};

#include "scales6.h"

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows, unsigned i) {
    vi high[DOT_VECTORS];
    q_scales(part, rows, Q_AT(scales), i);
    for (size_t v = 0; v < DOT_VECTORS; v++)
        high[v] = vi_bits(q_words(rows, Q_AT(high) + 4 * v), i, 1) << 4;
    q_high_low(part->w, rows, Q_AT(q), i);
    for (size_t v = 0; v < DOT_VECTORS; v++)
        part->w[v] |= high[v];
}

#include "packed.h"
