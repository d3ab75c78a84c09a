/* tensor_q5_1.c - module: weights in Q5_1, w = d * q + m. */
#include "interleave.h"

#define Q_COLS 32
#define Q_LARGEST 31
#define Q_OFFSET 0
#define Q_NAME(prefix) prefix##_q5_1

struct q_block {
    uint16_t d, m;   /* f16 */
    uint8_t high[4]; /* bit i: bit 4 of weight i */
    uint8_t q[16];   /* byte i: the rest of weight i in the low, of i + 16 in the high half */
};
_Static_assert(sizeof(struct q_block) == 24, "GGUF layout");

static const struct q_field q_fields[] = {{0, 2, 2}, {2, 2, 2}, {4, 20, 4}};

#include "part32.h"

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows) {
    part->scale = q_f16(rows, Q_AT(d));
    part->min = q_f16(rows, Q_AT(m));
    q_nibbles(part->w, rows, Q_AT(q));
    q_fifth_bits(part->w, q_words(rows, Q_AT(high)));
}

#include "block.h"
#include "packed.h"
