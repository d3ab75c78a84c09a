/* super.h - part of packed.h's template: blocks of 256 columns, whose scales are integers.
 *
 * w = d * scale * integer + m * min, with scale and min of 16 columns. Products are added up as
 * integers, which are exact: 256 * 63 * 127 * 128 < 2^31. The including module has defined
 *     Q_LARGEST                    the largest integer of a weight
 *     q_unpack(part, chunk, i)     columns 32 i .. 32 i + 31
 *     q_factors(chunk)             d and m
 * and with Q_PLACED, because a single token's weights need not be shifted where there is VNNI,
 *     q_placed(w, chunk, i)        columns 32 i .. 32 i + 31, times 2^place, which it returns; they
 *                                  are bytes, still
 *     q_pairs(chunk, i)            scales and minima of both halves of these, in 16 bits each */
#ifndef FLUID_TENSOR_SUPER_H
#define FLUID_TENSOR_SUPER_H

#include "dot32.h"
#include "fetch.h"

#define Q_ACT act_q8_k
#define Q_PARTS (SUPER_BLOCK / QUANT_BLOCK)

/* Vectors that are added up together: of one scale, and as fit into 16 bits, where sums have no
 * more. */
#ifdef TENSOR_VNNI
#define Q_RUN 4
#define Q_SHORT (16 * 127 * Q_LARGEST < 32768) /* as those of a scale do */
#else
#define Q_RUN (Q_LARGEST <= 15 ? 4 : 2)
#undef Q_PLACED /* there sums have 16 bits, too few for weights that are not shifted */
#endif

struct q_part {
    v8i w[DOT_VECTORS];
    v8i scale[2]; /* of columns 0 .. 15 and 16 .. 31, each twice in its lane, in 16 bits */
    v8i min;      /* of both, in 16 bits each */
};

struct q_factors {
    v8f d, m;
};

/* Scales and minima of 32 columns, those of both halves in 16 bits each. */
struct q_pairs {
    v8i scale, min;
};

static void q_unpack(struct q_part *part, const uint8_t *chunk, unsigned i)
    __attribute__((always_inline));
static struct q_factors q_factors(const uint8_t *chunk) __attribute__((always_inline));

/* While the first and the fifth part are used. */
TENSOR_INLINE void q_fetch_half(const uint8_t *next, unsigned i) {
    if (i % (Q_PARTS / 2) == 0)
        q_fetch(next, i / (Q_PARTS / 2), 2);
}

TENSOR_INLINE v8i q_add_pairs(v8i sum, v8i a, v8i b) {
#ifdef TENSOR_VNNI
    return v8i_add_pairs(sum, a, b);
#else
    return sum + v8i_madd(a, b);
#endif
}

/* sum + dot * scale */
TENSOR_INLINE v8i q_add_scaled(v8i sum, dot_sums dot, v8i scale) {
#ifdef TENSOR_VNNI
    return Q_SHORT ? v8i_add_pairs(sum, dot, scale & 0xffff) : sum + dot * (scale >> 16);
#else
    return sum + v8i_madd(dot, scale);
#endif
}

/* sum + scale * integer * x of part i */
TENSOR_INLINE v8i q_add_part(v8i sum, const struct q_part *part, const struct act_q8_k *x,
                             unsigned i) {
    for (int v = 0; v < DOT_VECTORS; v += Q_RUN)
        sum = q_add_scaled(sum, dot_run(part->w + v, x->q + QUANT_BLOCK * i + 4 * v, Q_RUN),
                           part->scale[v / 4]);
    return sum;
}

/* sum + min * x of part i */
TENSOR_INLINE v8i q_add_min(v8i sum, v8i min, const struct act_q8_k *x, unsigned i) {
    return q_add_pairs(sum, min, v8i_broadcast(x->sums + 2 * i));
}

TENSOR_INLINE v8f q_finish(v8f acc, v8i dot, v8i min, const struct q_factors *f,
                           const struct act_q8_k *x) {
    return acc + (f->d * v8f_of(dot) + f->m * v8f_of(min)) * x->d;
}

#ifdef Q_PLACED
static unsigned q_placed(v8i w[DOT_VECTORS], const uint8_t *chunk, unsigned i)
    __attribute__((always_inline));
static struct q_pairs q_pairs(const uint8_t *chunk, unsigned i) __attribute__((always_inline));

/* Sums of 16 columns fit into 16 bits: those of both halves are a pair. */
TENSOR_INLINE v8i q_add_placed(v8i sum, const uint8_t *chunk, v8i scales, const int8_t *x,
                               unsigned i) {
    v8i w[DOT_VECTORS];
    const unsigned place = q_placed(w, chunk, i);
    v8i first = dot_run(w, x, Q_RUN), second = dot_run(w + Q_RUN, x + 4 * Q_RUN, Q_RUN);
    v8i pair = ((v8i)((v8u)first >> place) & 0xffff) | second << (16 - place);
    return v8i_add_pairs(sum, pair, scales);
}
#endif

TENSOR_INLINE v8f q_chunk_one(v8f acc, const uint8_t *chunk, const struct act_q8_k *x,
                              const uint8_t *next) {
    v8i dot = {0}, min = {0};
    struct q_factors factors = q_factors(chunk);
#pragma clang loop unroll(full)
    for (unsigned i = 0; i < Q_PARTS; i++) {
        q_fetch_half(next, i);
#ifdef Q_PLACED
        struct q_pairs part = q_pairs(chunk, i);
        dot = q_add_placed(dot, chunk, part.scale, x->q + QUANT_BLOCK * i, i);
#else
        struct q_part part;
        q_unpack(&part, chunk, i);
        dot = q_add_part(dot, &part, x, i);
#endif
        min = q_add_min(min, part.min, x, i);
    }
    return q_finish(acc, dot, min, &factors, x);
}

#ifdef TENSOR_VNNI
/* Of two groups at once (sixteen.h). A scale stands in the lower half of its lane, so that sums of
 * 16 bits are multiplied and added by one instruction; larger ones are multiplied in 32 bits. */
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
#else
TENSOR_INLINE void q_chunk_batch(q_lanes *acc, const uint8_t *const chunk[Q_GROUPS],
                                 const struct act_q8_k *x, uint32_t n,
                                 const uint8_t *const next[Q_GROUPS]) {
    v8i dot[Q_TOKENS], minima[Q_PARTS];
    struct q_factors factors = q_factors(chunk[0]);
    for (uint32_t t = 0; t < n; t++)
        dot[t] = (v8i){0};
    for (unsigned i = 0; i < Q_PARTS; i++) {
        struct q_part part;
        q_fetch_half(next[0], i);
        q_unpack(&part, chunk[0], i);
        minima[i] = part.min;
        for (uint32_t t = 0; t < n; t++)
            dot[t] = q_add_part(dot[t], &part, &x[t], i);
    }
    for (uint32_t t = 0; t < n; t++) {
        v8i min = {0};
        for (unsigned i = 0; i < Q_PARTS; i++)
            min = q_add_min(min, minima[i], &x[t], i);
        acc[t] = q_finish(acc[t], dot[t], min, &factors, &x[t]);
    }
}
#endif

TENSOR_INLINE void q_chunk_row(float *out, const uint8_t *chunk, uint32_t r) {
    struct q_factors f = q_factors(chunk);
    for (unsigned i = 0; i < Q_PARTS; i++) {
        struct q_part part;
        q_unpack(&part, chunk, i);
        for (int c = 0; c < QUANT_BLOCK; c++) {
            const int32_t scale = part.scale[c / 16][r] >> 16;
            const int16_t min = ((const int16_t *)&part.min)[2 * r + c / 16];
            const uint8_t w = ((const uint8_t *)&part.w[c / 4])[4 * r + c % 4];
            *out++ = f.d[r] * (float)(scale * w) + f.m[r] * (float)min;
        }
    }
}

/* Of 128 columns, byte i of q holds two bits of i, i + 32, i + 64 and i + 96. */
TENSOR_INLINE void q_quarters(v8i w[DOT_VECTORS], const uint8_t *q, unsigned i) {
    for (int v = 0; v < DOT_VECTORS; v++)
        w[v] = v8i_bits(v8i_load(q + i / 4 * 256 + 32 * v), i % 4 * 2, 3);
}

#endif
