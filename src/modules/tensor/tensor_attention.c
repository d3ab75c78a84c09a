/* tensor_attention.c - module: causal attention of n tokens over a KV cache.
 *
 * A group of heads / kv_heads query heads shares one head of K and V (GQA). The cache is gone
 * through in blocks of positions, each of them for all queries while it is in the first cache; what
 * is not floats becomes floats before. The softmax is computed online (Milakov and Gimelshein,
 * "Online normalizer calculation for softmax", 2018): sums so far are of exp(score - maximum so
 * far), and are scaled when a block has a larger maximum. Blocks begin at multiples of BLOCK, so
 * that a query's result does not depend on the batch that it is in. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "expf.h"
#include "kv.h"
#include "rows.h"

#define BLOCK ATTENTION_BLOCK
#define QUERIES 64 /* that a block is used for, one after the other */
#ifdef __AVX2__
#define POSITIONS 8 /* whose scores are computed together */
#else
#define POSITIONS 4
#endif
#define VALUE_VECTORS 4 /* accumulators of the weighted sum: 32 values at a time */

/* Loops over a head's columns stay loops where head_dim is known: unrolled at O3 they are as long
 * as the code for any. */
#define COLUMNS_LOOP _Pragma("clang loop unroll(disable)")

_Static_assert(BLOCK % POSITIONS == 0, "positions behind a block would be read");

FLUID_EXPORT attention_fn attention;
FLUID_EXPORT store_kv_fn store_kv;

/* One head's view of a token: softmax so far. The weighted sum so far is in out. */
struct query {
    float *out;      /* (head_dim,) */
    const float *q;  /* (head_dim,) */
    uint32_t length; /* positions that it sees */
    float max, sum;
};

/* Lane r = sum of the lanes of v[r], in the same order for every r. */
TENSOR_INLINE __m128 sum_each(const v8f v[4]) {
    __m128 halves[4];
    for (int i = 0; i < 4; i++)
        halves[i] =
            _mm_add_ps(_mm_castsi128_ps(v8i_low((v8i)v[i])), _mm_castsi128_ps(v8i_high((v8i)v[i])));
    return sum_each_ps(halves);
}

/* scores[p] += scale * q . k[p] for the columns behind the last eight: of odd head_dims. */
TENSOR_SELDOM __attribute__((minsize)) void add_last_columns(float scores[BLOCK], const float *q,
                                                             const float *k, uint32_t head_dim,
                                                             uint32_t count, float scale) {
    for (uint32_t p = 0; p < count; p++, k += head_dim) {
        float sum = 0;
        for (uint32_t c = head_dim - head_dim % EIGHT; c < head_dim; c++)
            sum += k[c] * q[c];
        scores[p] += sum * scale;
    }
}

/* scores[p] = scale * q . k[p] for p < count; k (BLOCK, head_dim), of which a group at the end also
 * uses what is behind count. */
TENSOR_INLINE void block_scores(float scores[BLOCK], const float *q, const float *k,
                                uint32_t head_dim, uint32_t count, float scale) {
    const float *row = k;
    for (uint32_t p = 0; p < count; p += POSITIONS, row += (size_t)POSITIONS * head_dim) {
        v8f acc[POSITIONS] = {0};
        COLUMNS_LOOP
        for (uint32_t c = 0; c + EIGHT <= head_dim; c += EIGHT) {
            v8f qc = (v8f)v8i_load(q + c);
            for (uint32_t i = 0; i < POSITIONS; i++)
                acc[i] += (v8f)v8i_load(row + (size_t)i * head_dim + c) * qc;
        }
        for (uint32_t i = 0; i < POSITIONS; i += 4)
            _mm_storeu_ps(scores + p + i, _mm_mul_ps(sum_each(acc + i), _mm_set1_ps(scale)));
    }
    if (head_dim % EIGHT != 0)
        add_last_columns(scores, q, k, head_dim, count, scale);
}

/* NaN only where the first of a lane is. */
TENSOR_INLINE float largest(const float scores[BLOCK], uint32_t count) {
    v8f best = v8f_broadcast(scores[0]);
    uint32_t i = 0;
    for (; i + EIGHT <= count; i += EIGHT)
        best = v8f_max((v8f)v8i_load(scores + i), best);
    float max = best[0];
    for (int lane = 1; lane < EIGHT; lane++)
        max = best[lane] > max ? best[lane] : max;
    for (; i < count; i++)
        max = scores[i] > max ? scores[i] : max;
    return max;
}

/* scores[i] = exp(scores[i] - max) for i < count, 0 up to BLOCK; returns their sum. */
TENSOR_INLINE float softmax_terms(float scores[BLOCK], uint32_t count, float max) {
    v8f sum = {0};
    float total = 0;
    for (uint32_t i = 0; i < BLOCK; i += EIGHT) {
        v8f e = {0};
        if (i < count)
            e = exp_v8f((v8f)v8i_load(scores + i) - max);
        for (uint32_t r = 0; i < count && count - i < EIGHT && r < EIGHT; r++)
            e[r] = r < count - i ? e[r] : 0;
        v8f_store(scores + i, e, EIGHT);
        sum += e;
    }
    for (int lane = 0; lane < EIGHT; lane++)
        total += sum[lane];
    return total;
}

/* Up to 32 columns: out[c] = out[c] * keep + sum over p < count of weight[p] * v[p][c]. */
TENSOR_INLINE void add_columns(float *out, const float *weight, const float *v, uint32_t head_dim,
                               uint32_t count, uint32_t columns, float keep) {
    v8f acc[VALUE_VECTORS];
    for (uint32_t i = 0; i < VALUE_VECTORS && EIGHT * i < columns; i++)
        acc[i] = v8f_load(out + EIGHT * i, columns - EIGHT * i) * keep;
    for (uint32_t p = 0; p < count; p++, v += head_dim)
        for (uint32_t i = 0; i < VALUE_VECTORS && EIGHT * i < columns; i++)
            acc[i] += v8f_load(v + EIGHT * i, columns - EIGHT * i) * weight[p];
    for (uint32_t i = 0; i < VALUE_VECTORS && EIGHT * i < columns; i++)
        v8f_store(out + EIGHT * i, acc[i], columns - EIGHT * i);
}

TENSOR_INLINE void add_values(float *out, const float *weight, const float *v, uint32_t head_dim,
                              uint32_t count, float keep) {
    const uint32_t step = EIGHT * VALUE_VECTORS;
    uint32_t c = 0;
    for (; c + step <= head_dim; c += step)
        add_columns(out + c, weight, v + c, head_dim, count, step, keep);
    if (c < head_dim)
        add_columns(out + c, weight, v + c, head_dim, count, head_dim - c, keep);
}

/* Positions first .. first + BLOCK, as far as the query sees them; k, v (BLOCK, head_dim). */
static void see_block(struct query *query, uint32_t head_dim, const float *k, const float *v,
                      uint32_t first, float scale) {
    float scores[BLOCK];
    uint32_t count = query->length - first < BLOCK ? query->length - first : BLOCK;
    block_scores(scores, query->q, k, head_dim, count, scale);
    float max = largest(scores, count), keep = 1;
    if (first == 0)
        query->max = max;
    else if (!(max <= query->max)) {
        keep = exp_v8f(v8f_broadcast(query->max - max))[0];
        query->max = max;
    }
    query->sum = query->sum * keep + softmax_terms(scores, count, query->max);
    add_values(query->out, scores, v, head_dim, count, keep);
}

/* The columns behind the last eight: of odd head_dims. */
TENSOR_SELDOM __attribute__((minsize)) void divide_last_columns(float *x, float by,
                                                                uint32_t head_dim) {
    for (uint32_t c = head_dim - head_dim % EIGHT; c < head_dim; c++)
        x[c] /= by;
}

TENSOR_INLINE void divide(float *x, float by, uint32_t head_dim) {
    COLUMNS_LOOP
    for (uint32_t c = 0; c + EIGHT <= head_dim; c += EIGHT)
        v8f_store(x + c, v8f_load(x + c, EIGHT) / by, EIGHT);
    if (head_dim % EIGHT != 0)
        divide_last_columns(x, by, head_dim);
}

TENSOR_INLINE void clear(float *x, uint32_t head_dim) {
    COLUMNS_LOOP
    for (uint32_t c = 0; c + EIGHT <= head_dim; c += EIGHT)
        v8f_store(x + c, (v8f){0}, EIGHT);
    if (head_dim % EIGHT != 0)
        v8f_store(x + head_dim - head_dim % EIGHT, (v8f){0}, head_dim % EIGHT);
}

static void see_all(struct query queries[QUERIES], uint32_t n, const struct attention_args *args,
                    const void *k, const void *v) {
    const uint32_t head_dim = args->head_dim, end = queries[n - 1].length;
    float *scratch_v = args->scratch + (size_t)BLOCK * head_dim;
    const float scale = 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss((float)head_dim)));
    for (uint32_t i = 0; i < n; i++)
        clear(queries[i].out, head_dim);
    for (uint32_t first = 0; first < end; first += BLOCK) {
        const bool whole = end - first >= BLOCK;
        const uint32_t rows = whole ? BLOCK : end - first;
        const float *block_k =
            kv_floats(k, args->type, head_dim, first, rows, args->scratch, !whole);
        const float *block_v = kv_floats(v, args->type, head_dim, first, rows, scratch_v, false);
        for (uint32_t i = 0; i < n; i++)
            if (queries[i].length > first)
                see_block(&queries[i], head_dim, block_k, block_v, first, scale);
    }
    for (uint32_t i = 0; i < n; i++)
        divide(queries[i].out, queries[i].sum, head_dim);
}

void attention(const struct attention_args *args) {
    const uint32_t group = args->heads / args->kv_heads;
    for (uint32_t kv = 0; kv < args->kv_heads; kv++) {
        const size_t cached = (size_t)kv * args->ctx * kv_row_bytes(args->type, args->head_dim);
        struct query queries[QUERIES];
        uint32_t n = 0;
        for (uint32_t i = 0; i < args->n * group; i++) {
            uint32_t token = i / group, head = kv * group + i % group;
            size_t at = (size_t)token * args->stride + (size_t)head * args->head_dim;
            queries[n++] = (struct query){
                .out = args->out + at,
                .q = args->q + at,
                .length = args->pos + token + 1,
            };
            if (n < QUERIES && i + 1 < args->n * group)
                continue;
            see_all(queries, n, args, (const char *)args->k + cached,
                    (const char *)args->v + cached);
            n = 0;
        }
    }
}

void store_kv(void *cache, enum kv_type type, const float *x, uint32_t kv_heads, uint32_t ctx,
              uint32_t head_dim, uint32_t pos, uint32_t n) {
    const size_t row = kv_row_bytes(type, head_dim);
    for (uint32_t t = 0; t < n; t++)
        for (uint32_t h = 0; h < kv_heads; h++, x += head_dim)
            kv_pack((uint8_t *)cache + ((size_t)h * ctx + pos + t) * row, type, x, head_dim);
}
