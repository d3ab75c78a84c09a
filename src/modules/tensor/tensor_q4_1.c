/* tensor_q4_1.c - module: weights in Q4_1, w = d * nibble + m. */
#include "interleave.h"

#define Q_COLS 32
#define Q_LARGEST 15
#define Q_OFFSET 0
#define Q_NAME(prefix) prefix##_q4_1

struct q_block {
    uint16_t d, m; /* f16 */
    uint8_t q[16]; /* byte i: weight i in the low, i + 16 in the high half */
};
_Static_assert(sizeof(struct q_block) == 20, "GGUF layout");

static const struct q_field q_fields[] = {{0, 2, 2}, {2, 2, 2}, {4, 16, 4}};

#include "part32.h"

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows) {
    part->scale = q_f16(rows, Q_AT(d));
    part->min = q_f16(rows, Q_AT(m));
    q_nibbles(part->w, rows, Q_AT(q));
}

#include "block.h"
#include "packed.h"
