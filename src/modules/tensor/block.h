/* block.h - part of packed.h's template: types whose block is 32 columns, which are one part. The
 * including module has defined struct q_part, q_add and q_unpack(part, rows). */
#ifndef FLUID_TENSOR_BLOCK_H
#define FLUID_TENSOR_BLOCK_H

#include "fetch.h"

#define Q_ACT act_q8

TENSOR_INLINE void q_chunk_one(struct q_lanes *acc, const uint8_t *chunk, const struct act_q8 *x,
                               const uint8_t *next) {
    q_fetch(next, 0, 1);
#pragma clang loop unroll(full)
    for (unsigned half = 0; half < HALVES; half++) {
        struct q_part part;
        q_unpack(&part, q_rows(chunk, half));
        acc->half[half] = q_add(acc->half[half], &part, x);
    }
}

TENSOR_INLINE void q_chunk_batch(struct q_lanes *acc, const uint8_t *chunk, const struct act_q8 *x,
                                 uint32_t n, const uint8_t *next) {
#pragma clang loop unroll(full)
    for (unsigned half = 0; half < HALVES; half++) {
        struct q_part part;
        q_fetch(next, half, HALVES);
        q_unpack(&part, q_rows(chunk, half));
        for (uint32_t t = 0; t < n; t++)
            acc[t].half[half] = q_add(acc[t].half[half], &part, &x[t]);
    }
}

TENSOR_INLINE void q_chunk_row(float *out, const uint8_t *chunk, uint32_t r) {
    struct q_part part;
    q_unpack(&part, q_rows(chunk, r / LANES));
    q_weights(out, &part, r % LANES);
}

#endif
