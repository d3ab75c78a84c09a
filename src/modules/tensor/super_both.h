/* super_both.h - super.h's batch for two groups at once (sixteen.h).
 *
 * A scale stands in the lower half of its lane, so that sums of 16 bits are multiplied and added by
 * one instruction; larger ones are multiplied in 32 bits. */
#ifndef FLUID_TENSOR_SUPER_BOTH_H
#define FLUID_TENSOR_SUPER_BOTH_H

#include "super.h"

struct q_both {
    v16i w[DOT_VECTORS];
    v16i scale[2], min;
};

TENSOR_INLINE v16i q_scale_both(v8i first, v8i second) {
    v16i scale = v16i_join(first, second);
    return Q_SHORT ? scale & 0xffff : scale >> 16;
}

TENSOR_INLINE void q_join(struct q_both *both, const struct q_part part[Q_GROUPS]) {
    dot_join(both->w, part[0].w, part[1].w);
    for (int s = 0; s < 2; s++)
        both->scale[s] = q_scale_both(part[0].scale[s], part[1].scale[s]);
    both->min = v16i_join(part[0].min, part[1].min);
}

/* sum + scale * integer * x of part i */
TENSOR_INLINE v16i q_add_both(v16i sum, const struct q_both *both, const struct act_q8_k *x,
                              unsigned i) {
    for (int s = 0; s < 2; s++) {
        const int8_t *q = x->q + QUANT_BLOCK * i + 16 * s;
        v16i dot = dot_run_both((v16i){0}, both->w + Q_RUN * s, q, Q_RUN);
        sum = Q_SHORT ? v16i_add_pairs(sum, dot, both->scale[s]) : sum + dot * both->scale[s];
    }
    return sum;
}

TENSOR_INLINE v16i q_minima(const v16i minima[Q_PARTS], const struct act_q8_k *x) {
    v16i sum = {0};
    for (int i = 0; i < Q_PARTS; i++)
        sum = v16i_add_pairs(sum, minima[i], v16i_broadcast(x->sums + 2 * i));
    return sum;
}

TENSOR_INLINE void q_chunk_batch(q_lanes *acc, const uint8_t *const chunk[Q_GROUPS],
                                 const struct act_q8_k *x, uint32_t n,
                                 const uint8_t *const next[Q_GROUPS]) {
    v16i dot[Q_TOKENS], minima[Q_PARTS];
    const struct q_factors first = q_factors(chunk[0]), second = q_factors(chunk[1]);
    const v16f d = v16f_join(first.d, second.d), m = v16f_join(first.m, second.m);
    for (uint32_t t = 0; t < n; t++)
        dot[t] = (v16i){0};
    for (unsigned i = 0; i < Q_PARTS; i++) {
        struct q_part part[Q_GROUPS];
        struct q_both both;
        for (int g = 0; g < Q_GROUPS; g++) {
            q_fetch(next[g], i, Q_PARTS);
            q_unpack(&part[g], chunk[g], i);
        }
        q_join(&both, part);
        minima[i] = both.min;
        for (uint32_t t = 0; t < n; t++)
            dot[t] = q_add_both(dot[t], &both, &x[t], i);
    }
    for (uint32_t t = 0; t < n; t++)
        acc[t] += (d * v16f_of(dot[t]) + m * v16f_of(q_minima(minima, &x[t]))) * x[t].d;
}

#endif
