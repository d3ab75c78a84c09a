/* tensor_attention.c - module: causal attention of n tokens over an F32 KV cache.
 *
 * Per head and token: scores over the visible positions, softmax with the maximum subtracted,
 * weighted sum of V. A group of heads / kv_heads query heads shares one head of K and V (GQA). */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "eight.h"
#include "expf.h"
#include "rows.h"

#define POSITIONS 4     /* whose scores are computed together */
#define VALUE_VECTORS 4 /* accumulators of the weighted sum: 32 values at a time */

FLUID_EXPORT attention_fn attention;

/* Lane r = sum of the lanes of v[r], in the same order for every r. */
TENSOR_INLINE __m128 sum_each(const v8f v[POSITIONS]) {
    __m128 halves[POSITIONS];
    for (int i = 0; i < POSITIONS; i++)
        halves[i] =
            _mm_add_ps(_mm_castsi128_ps(v8i_low((v8i)v[i])), _mm_castsi128_ps(v8i_high((v8i)v[i])));
    return sum_each_ps(halves);
}

/* scores[p] = scale * q . k[p] for p < length. A group at the end repeats its last position. */
static void attention_scores(float *scores, const float *q, const float *k, uint32_t head_dim,
                             uint32_t length, float scale) {
    for (uint32_t p = 0; p < length; p += POSITIONS) {
        uint32_t lanes = length - p < POSITIONS ? length - p : POSITIONS;
        const float *row[POSITIONS];
        v8f acc[POSITIONS];
        for (uint32_t i = 0; i < POSITIONS; i++) {
            row[i] = k + (size_t)(i < lanes ? p + i : length - 1) * head_dim;
            acc[i] = (v8f){0};
        }
        for (uint32_t c = 0; c < head_dim; c += EIGHT) {
            v8f qc = v8f_load(q + c, head_dim - c);
            for (uint32_t i = 0; i < POSITIONS; i++)
                acc[i] += v8f_load(row[i] + c, head_dim - c) * qc;
        }
        store_partial(scores + p, _mm_mul_ps(sum_each(acc), _mm_set1_ps(scale)), lanes);
    }
}

static float largest(const float *x, uint32_t count) {
    float best = x[0];
    for (uint32_t i = 1; i < count; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

/* x[i] = exp(x[i] - max); returns their sum, at least 1. */
static float softmax_terms(float *x, uint32_t count) {
    float max = largest(x, count), total = 0;
    v8f sum = {0};
    uint32_t i = 0;
    for (; i + EIGHT <= count; i += EIGHT) {
        v8f e = exp_v8f(v8f_load(x + i, EIGHT) - max);
        v8f_store(x + i, e, EIGHT);
        sum += e;
    }
    v8f rest = exp_v8f(v8f_load(x + i, count - i) - max);
    for (uint32_t r = 0; i + r < count; r++) {
        x[i + r] = rest[r];
        total += rest[r];
    }
    for (int lane = 0; lane < EIGHT; lane++)
        total += sum[lane];
    return total;
}

/* out[c] = factor * sum over p < length of weight[p] * v[p][c], for eight columns or fewer: the
 * tail of a head whose dimension is not a multiple of 32. */
static void weighted_tail(float *out, const float *weight, const float *v, uint32_t head_dim,
                          uint32_t length, uint32_t columns, float factor) {
    v8f acc = {0};
    for (uint32_t p = 0; p < length; p++, v += head_dim)
        acc += v8f_load(v, columns) * weight[p];
    v8f_store(out, acc * factor, columns);
}

/* out (head_dim,) = factor * sum over p < length of weight[p] * v[p]. */
static void weighted_values(float *out, const float *weight, const float *v, uint32_t head_dim,
                            uint32_t length, float factor) {
    uint32_t c = 0;
    for (; c + EIGHT * VALUE_VECTORS <= head_dim; c += EIGHT * VALUE_VECTORS) {
        v8f acc[VALUE_VECTORS] = {0};
        const float *value = v + c;
        for (uint32_t p = 0; p < length; p++, value += head_dim)
            for (int i = 0; i < VALUE_VECTORS; i++)
                acc[i] += (v8f)v8i_load(value + EIGHT * i) * weight[p];
        for (int i = 0; i < VALUE_VECTORS; i++)
            v8f_store(out + c + EIGHT * i, acc[i] * factor, EIGHT);
    }
    for (; c < head_dim; c += EIGHT)
        weighted_tail(out + c, weight, v + c, head_dim, length, head_dim - c, factor);
}

void attention(const struct attention_args *args) {
    uint32_t head_dim = args->head_dim, group = args->heads / args->kv_heads;
    __m128 root = _mm_sqrt_ss(_mm_set_ss((float)head_dim));
    float scale = 1.0f / _mm_cvtss_f32(root);
    for (uint32_t t = 0; t < args->n; t++) {
        uint32_t length = args->pos + t + 1;
        for (uint32_t h = 0; h < args->heads; h++) {
            size_t at = ((size_t)t * args->heads + h) * head_dim;
            size_t cache = (size_t)(h / group) * args->ctx * head_dim;
            attention_scores(args->scores, args->q + at, args->k + cache, head_dim, length, scale);
            float sum = softmax_terms(args->scores, length);
            weighted_values(args->out + at, args->scores, args->v + cache, head_dim, length,
                            1.0f / sum);
        }
    }
}
