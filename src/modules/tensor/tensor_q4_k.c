/* tensor_q4_k.c - module: weights in Q4_K, w = d * scale * q - dmin * min for each 32. */
#include "interleave.h"

#define Q_COLS 256
#define Q_LARGEST 15
#define Q_NAME(prefix) prefix##_q4_k
#ifdef TENSOR_VNNI /* of the same speed, and faster where weights are fetched ahead */
#define Q_ROLLED
#endif

struct q_block {
    uint16_t d, dmin;   /* f16 */
    uint8_t scales[12]; /* scales6.h */
    uint8_t q[128];     /* of each 64 weights, byte i holds i and i + 32 */
};
_Static_assert(sizeof(struct q_block) == 144, "GGUF layout");

static const struct q_field q_fields[] = {{0, 2, 2}, {2, 2, 2}, {4, 12, 4}, {16, 128, 4}};

#include "scales6.h"

TENSOR_INLINE void q_unpack(struct q_part *part, struct q_rows rows, unsigned i) {
    q_scales(part, rows, Q_AT(scales), i);
    q_high_low(part->w, rows, Q_AT(q), i);
}

#include "packed.h"
