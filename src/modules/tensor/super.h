/* super.h - part of packed.h's template: blocks of 256 columns, whose scales are integers.
 *
 * w = d * scale * integer + m * min, with scale and min of 16 columns. Products are added up as
 * integers, which are exact: 256 * 63 * 127 * 128 < 2^31. The including module has defined
 *     Q_LARGEST                    the largest integer of a weight
 *     q_unpack(part, rows, i)      columns 32 i .. 32 i + 31
 *     q_factors(rows)              d and m
 * and with Q_PLACED, because a single token's weights need not be shifted where there is VNNI,
 *     q_placed(w, rows, i)         columns 32 i .. 32 i + 31, times 2^place, which it returns; they
 *                                  are bytes, still
 *     q_pairs(rows, i)             scales and minima of both halves of these, in 16 bits each */
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
    vi w[DOT_VECTORS];
    vi scale[2]; /* of columns 0 .. 15 and 16 .. 31, each twice in its lane, in 16 bits */
    vi min;      /* of both, in 16 bits each */
};

struct q_factors {
    vf d, m;
};

/* Scales and minima of 32 columns, those of both halves in 16 bits each. */
struct q_pairs {
    vi scale, min;
};

static void q_unpack(struct q_part *part, struct q_rows rows, unsigned i)
    __attribute__((always_inline));
static struct q_factors q_factors(struct q_rows rows) __attribute__((always_inline));

/* Scales as q_add_scaled wants them: with VNNI, where the sum of products is one number, one in the
 * lower half of its lane, so that sums of 16 bits are multiplied and added by one instruction;
 * larger ones are multiplied in 32 bits. */
TENSOR_INLINE void q_unpack_factors(struct q_part *part, struct q_rows rows, unsigned i) {
    q_unpack(part, rows, i);
#ifdef TENSOR_VNNI
    for (int s = 0; s < 2; s++)
        part->scale[s] = Q_SHORT ? part->scale[s] & 0xffff : part->scale[s] >> 16;
#endif
}

/* sum + dot * scale */
TENSOR_INLINE vi q_add_scaled(vi sum, dot_sums dot, vi scale) {
#ifdef TENSOR_VNNI
    return Q_SHORT ? vi_add_pairs(sum, dot, scale) : sum + dot * scale;
#else
    return sum + v8i_madd(dot, scale);
#endif
}

/* sum + scale * integer * x of part i */
TENSOR_INLINE vi q_add_part(vi sum, const struct q_part *part, const struct act_q8_k *x,
                            unsigned i) {
    for (int v = 0; v < DOT_VECTORS; v += Q_RUN)
        sum = q_add_scaled(sum, dot_run(part->w + v, x->q + QUANT_BLOCK * i + 4 * v, Q_RUN),
                           part->scale[v / 4]);
    return sum;
}

/* sum + min * x of part i */
TENSOR_INLINE vi q_add_min(vi sum, vi min, const struct act_q8_k *x, unsigned i) {
    return vi_add_pairs(sum, min, vi_broadcast(x->sums + 2 * i));
}

TENSOR_INLINE vf q_finish(vf acc, vi dot, vi min, const struct q_factors *f,
                          const struct act_q8_k *x) {
    return acc + (f->d * vf_of(dot) + f->m * vf_of(min)) * x->d;
}

#ifdef Q_PLACED
static unsigned q_placed(vi w[DOT_VECTORS], struct q_rows rows, unsigned i)
    __attribute__((always_inline));
static struct q_pairs q_pairs(struct q_rows rows, unsigned i) __attribute__((always_inline));

/* Sums of 16 columns fit into 16 bits: those of both halves are a pair. */
TENSOR_INLINE vi q_add_placed(vi sum, struct q_rows rows, vi scales, const int8_t *x, unsigned i) {
    vi w[DOT_VECTORS];
    const unsigned place = q_placed(w, rows, i);
    vi first = dot_run(w, x, Q_RUN), second = dot_run(w + Q_RUN, x + 4 * Q_RUN, Q_RUN);
    vi pair = ((vi)((vu)first >> place) & 0xffff) | second << (16 - place);
    return vi_add_pairs(sum, pair, scales);
}
#endif

/* As a loop code is shorter and memory is read in a simpler pattern; unrolled, there is less to
 * compute. Q_ROLLED: the former is faster. */
#ifdef Q_ROLLED
#define Q_PARTS_LOOP _Pragma("clang loop unroll(disable)")
#else
#define Q_PARTS_LOOP _Pragma("clang loop unroll(full)")
#endif

/* Part by part of all rows: memory is read in order. */
TENSOR_INLINE void q_chunk_one(struct q_lanes *acc, const uint8_t *chunk, const struct act_q8_k *x,
                               const uint8_t *next) {
    vi dot[HALVES] = {0}, min[HALVES] = {0};
    Q_PARTS_LOOP
    for (unsigned i = 0; i < Q_PARTS; i++) {
        q_fetch(next, i, Q_PARTS);
#pragma clang loop unroll(full)
        for (unsigned half = 0; half < HALVES; half++) {
            const struct q_rows rows = q_rows(chunk, half);
            /* Read anew for the other half, not kept in registers, of which there are too few. */
            if (HALVES > 1)
                __asm__("" : "+r"(x));
#ifdef Q_PLACED
            struct q_pairs part = q_pairs(rows, i);
            dot[half] = q_add_placed(dot[half], rows, part.scale, x->q + QUANT_BLOCK * i, i);
#else
            struct q_part part;
            q_unpack_factors(&part, rows, i);
            dot[half] = q_add_part(dot[half], &part, x, i);
#endif
            min[half] = q_add_min(min[half], part.min, x, i);
        }
    }
    for (unsigned half = 0; half < HALVES; half++) {
        const struct q_factors factors = q_factors(q_rows(chunk, half));
        acc->half[half] = q_finish(acc->half[half], dot[half], min[half], &factors, x);
    }
}

TENSOR_INLINE void q_chunk_batch(struct q_lanes *acc, const uint8_t *chunk,
                                 const struct act_q8_k *x, uint32_t n, const uint8_t *next) {
    vi dot[HALVES][Q_TOKENS], minima[HALVES][Q_PARTS];
    for (unsigned half = 0; half < HALVES; half++)
        for (uint32_t t = 0; t < n; t++)
            dot[half][t] = (vi){0};
    for (unsigned i = 0; i < Q_PARTS; i++) {
        q_fetch(next, i, Q_PARTS);
#pragma clang loop unroll(full)
        for (unsigned half = 0; half < HALVES; half++) {
            struct q_part part;
            q_unpack_factors(&part, q_rows(chunk, half), i);
            minima[half][i] = part.min;
            for (uint32_t t = 0; t < n; t++)
                dot[half][t] = q_add_part(dot[half][t], &part, &x[t], i);
        }
    }
    for (unsigned half = 0; half < HALVES; half++) {
        const struct q_factors factors = q_factors(q_rows(chunk, half));
        for (uint32_t t = 0; t < n; t++) {
            vi min = {0};
            for (unsigned i = 0; i < Q_PARTS; i++)
                min = q_add_min(min, minima[half][i], &x[t], i);
            acc[t].half[half] = q_finish(acc[t].half[half], dot[half][t], min, &factors, &x[t]);
        }
    }
}

TENSOR_INLINE void q_chunk_row(float *out, const uint8_t *chunk, uint32_t row) {
    const struct q_rows rows = q_rows(chunk, row / LANES);
    const uint32_t r = row % LANES;
    struct q_factors f = q_factors(rows);
    for (unsigned i = 0; i < Q_PARTS; i++) {
        struct q_part part;
        q_unpack(&part, rows, i);
        for (int c = 0; c < QUANT_BLOCK; c++) {
            const int32_t scale = part.scale[c / 16][r] >> 16;
            const int16_t min = ((const int16_t *)&part.min)[2 * r + c / 16];
            const uint8_t w = ((const uint8_t *)&part.w[c / 4])[4 * r + c % 4];
            *out++ = f.d[r] * (float)(scale * w) + f.m[r] * (float)min;
        }
    }
}

/* Of 128 columns, byte i of those from byte `at` of the block on holds two bits of i, i + 32,
 * i + 64 and i + 96. */
TENSOR_INLINE void q_quarters(vi w[DOT_VECTORS], struct q_rows rows, size_t at, unsigned i) {
    for (size_t v = 0; v < DOT_VECTORS; v++)
        w[v] = vi_bits(q_words(rows, at + i / 4 * 32 + 4 * v), i % 4 * 2, 3);
}

#endif
