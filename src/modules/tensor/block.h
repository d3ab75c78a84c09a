/* block.h - part of packed.h's template: types whose block is 32 columns, which are one part. The
 * including module has defined struct q_part, q_add and q_unpack(part, chunk), and for two groups
 * at once (sixteen.h) struct q_both, q_join and q_add_both. */
#ifndef FLUID_TENSOR_BLOCK_H
#define FLUID_TENSOR_BLOCK_H

#include "fluid/tensor.h"
#include "fetch.h"

#define Q_ACT act_q8

TENSOR_INLINE v8f q_chunk_one(v8f acc, const uint8_t *chunk, const struct act_q8 *x,
                              const uint8_t *next) {
    q_fetch(next, 0, 1);
    struct q_part part;
    q_unpack(&part, chunk);
    return q_add(acc, &part, x);
}

TENSOR_INLINE void q_chunk_batch(q_lanes *acc, const uint8_t *const chunk[Q_GROUPS],
                                 const struct act_q8 *x, uint32_t n,
                                 const uint8_t *const next[Q_GROUPS]) {
    struct q_part part[Q_GROUPS];
    for (int g = 0; g < Q_GROUPS; g++) {
        q_fetch(next[g], 0, 1);
        q_unpack(&part[g], chunk[g]);
    }
#ifdef TENSOR_VNNI
    struct q_both both;
    q_join(&both, part);
    for (uint32_t t = 0; t < n; t++)
        acc[t] = q_add_both(acc[t], &both, &x[t]);
#else
    for (uint32_t t = 0; t < n; t++)
        acc[t] = q_add(acc[t], &part[0], &x[t]);
#endif
}

TENSOR_INLINE void q_chunk_row(float *out, const uint8_t *chunk, uint32_t r) {
    struct q_part part;
    q_unpack(&part, chunk);
    q_weights(out, &part, r);
}

#endif
