/* tensor_q4_0.c - module: weights in Q4_0, w = d * (nibble - 8). */
#include "interleave.h"

#define Q_COLS 32
#define Q_LARGEST 15
#define Q_OFFSET 8
#define Q_NAME(prefix) prefix##_q4_0

struct q_block {
    uint16_t d;    /* f16 */
    uint8_t q[16]; /* byte i: weight i in the low, i + 16 in the high half */
};
_Static_assert(sizeof(struct q_block) == 18, "GGUF layout");

static const struct q_field q_fields[] = {{0, 2, 2}, {2, 16, 4}};

#include "part32.h"

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows) {
    part->scale = q_f16(rows, Q_AT(d));
    part->min = (vf){0};
    q_nibbles(part->w, rows, Q_AT(q));
}

#include "block.h"
#include "packed.h"
