/* tensor_attention.c - module: causal attention of n tokens over an F32 KV cache.
 *
 * Per head and token: scores over the visible positions, softmax with the maximum subtracted,
 * weighted sum of V. A group of heads / kv_heads query heads shares one head of K and V (GQA). */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "expf.h"
#include "rows.h"

#define VALUE_VECTORS 4 /* accumulators of the weighted sum: 16 values at a time */

FLUID_EXPORT attention_fn attention;

/* scores[p] = scale * q . k[p] for p < length. Four positions at a time; a group at the end repeats
 * its last position. */
static void attention_scores(float *scores, const float *q, const float *k, uint32_t head_dim,
                             uint32_t length, float scale) {
    for (uint32_t p = 0; p < length; p += ROW_GROUP) {
        uint32_t lanes = length - p < ROW_GROUP ? length - p : ROW_GROUP;
        const float *row[ROW_GROUP];
        __m128 acc[ROW_GROUP];
        for (uint32_t i = 0; i < ROW_GROUP; i++) {
            row[i] = k + (size_t)(i < lanes ? p + i : length - 1) * head_dim;
            acc[i] = _mm_setzero_ps();
        }
        dot_rows_ps(acc, row, q, head_dim);
        store_partial(scores + p, _mm_mul_ps(sum_each_ps(acc), _mm_set1_ps(scale)), lanes);
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
    __m128 max = _mm_set1_ps(largest(x, count)), sum = _mm_setzero_ps();
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        __m128 e = exp_ps(_mm_sub_ps(load_ps(x + i), max));
        _mm_storeu_ps(x + i, e);
        sum = _mm_add_ps(sum, e);
    }
    float total = sum_ps(sum);
    for (; i < count; i++) {
        x[i] = _mm_cvtss_f32(exp_ps(_mm_sub_ss(_mm_set_ss(x[i]), max)));
        total += x[i];
    }
    return total;
}

/* out[c] = factor * sum over p < length of weight[p] * v[p][c], for one vector's worth of columns
 * or less: the tail of a head whose dimension is not a multiple of 16. */
static void weighted_tail(float *out, const float *weight, const float *v, uint32_t head_dim,
                          uint32_t length, uint32_t columns, float factor) {
    __m128 acc = _mm_setzero_ps();
    for (uint32_t p = 0; p < length; p++, v += head_dim) {
        __m128 value = columns == 4 ? load_ps(v) : load_partial(v, columns);
        acc = _mm_add_ps(acc, _mm_mul_ps(value, _mm_set1_ps(weight[p])));
    }
    store_partial(out, _mm_mul_ps(acc, _mm_set1_ps(factor)), columns);
}

/* out (head_dim,) = factor * sum over p < length of weight[p] * v[p]. */
static void weighted_values(float *out, const float *weight, const float *v, uint32_t head_dim,
                            uint32_t length, float factor) {
    uint32_t c = 0;
    for (; c + 4 * VALUE_VECTORS <= head_dim; c += 4 * VALUE_VECTORS) {
        __m128 acc[VALUE_VECTORS];
        for (int i = 0; i < VALUE_VECTORS; i++)
            acc[i] = _mm_setzero_ps();
        const float *value = v + c;
        for (uint32_t p = 0; p < length; p++, value += head_dim) {
            __m128 share = _mm_set1_ps(weight[p]);
            for (int i = 0; i < VALUE_VECTORS; i++)
                acc[i] = _mm_add_ps(acc[i], _mm_mul_ps(load_ps(value + 4 * i), share));
        }
        for (int i = 0; i < VALUE_VECTORS; i++)
            _mm_storeu_ps(out + c + 4 * i, _mm_mul_ps(acc[i], _mm_set1_ps(factor)));
    }
    for (; c < head_dim; c += 4) {
        uint32_t columns = head_dim - c < 4 ? head_dim - c : 4;
        weighted_tail(out + c, weight, v + c, head_dim, length, columns, factor);
    }
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
