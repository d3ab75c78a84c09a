/* kv.h - the rows of a cache of K or V (tensor.h, enum kv_type): from floats and back. */
#ifndef FLUID_TENSOR_KV_H
#define FLUID_TENSOR_KV_H

#include <stdbool.h>

#include "fluid/tensor.h"
#include "rows.h"

#define KV_MAX 127       /* largest integer of a block in 8 bits */
#define KV_MOST 65504.0f /* largest half */

/* What is larger than the largest half, and NaN, becomes that. */
TENSOR_INLINE __m128 kv_saturated(__m128 x) {
    __m128 most = _mm_set1_ps(KV_MOST);
    return _mm_max_ps(_mm_min_ps(x, most), _mm_sub_ps(_mm_setzero_ps(), most));
}

/* The first count floats of x, at most four, the other lanes zero; saturated. */
TENSOR_INLINE __m128 kv_load(const float *x, uint32_t count) {
    return kv_saturated(count >= 4 ? load_ps(x) : load_partial(x, count));
}

static void kv_pack_halves(uint8_t *out, const float *x, uint32_t count) {
    for (uint32_t i = 0; i < count; i += 4, out += 8) {
        __m128i halves = half4_of_float(kv_load(x + i, count - i));
        for (uint32_t lane = 0; lane < 4 && lane < count - i; lane++) {
            uint16_t half = (uint16_t)_mm_cvtsi128_si32(halves);
            __builtin_memcpy(out + 2 * lane, &half, sizeof half);
            halves = _mm_srli_si128(halves, 4);
        }
    }
}

/* A block of at most QUANT_BLOCK values. q is x divided by d as it is stored, so that small scales,
 * which have few bits as halves, cost no more than they must. */
static void kv_pack_block(uint8_t *out, const float *x, uint32_t count) {
    const __m128 sign = _mm_set1_ps(-0.0f);
    __m128 best = _mm_setzero_ps();
    for (uint32_t i = 0; i < count; i += 4)
        best = _mm_max_ps(best, _mm_andnot_ps(sign, kv_load(x + i, count - i)));
    best = _mm_max_ps(best, _mm_movehl_ps(best, best));
    best = _mm_max_ss(best, _mm_shuffle_ps(best, best, 1));
    uint16_t half =
        (uint16_t)_mm_cvtsi128_si32(half4_of_float(_mm_div_ss(best, _mm_set_ss(KV_MAX))));
    const float d = half_to_float(half);
    const __m128 factor = _mm_set1_ps(d > 0 ? 1 / d : 0);
    __builtin_memcpy(out, &half, sizeof half);
    out += sizeof half;
    for (uint32_t i = 0; i < count; i += 4) {
        __m128i q = _mm_cvtps_epi32(_mm_mul_ps(kv_load(x + i, count - i), factor));
        q = _mm_packs_epi16(_mm_packs_epi32(q, q), q);
        int32_t four = _mm_cvtsi128_si32(q);
        __builtin_memcpy(out + i, &four, count - i < 4 ? count - i : 4);
    }
}

TENSOR_INLINE void kv_pack(uint8_t *out, enum kv_type type, const float *x, uint32_t head_dim) {
    if (type == KV_F32)
        __builtin_memcpy(out, x, head_dim * sizeof *x);
    else if (type == KV_F16)
        kv_pack_halves(out, x, head_dim);
    for (uint32_t c = 0; type == KV_Q8_0 && c < head_dim; c += QUANT_BLOCK, out += KV_BLOCK_BYTES)
        kv_pack_block(out, x + c, head_dim - c < QUANT_BLOCK ? head_dim - c : QUANT_BLOCK);
}

static void kv_unpack_halves(float *out, const uint8_t *in, uint32_t count) {
    uint32_t i = 0;
    for (; i + EIGHT <= count; i += EIGHT)
        v8f_store(out + i, v8f_halves(in + 2 * i), EIGHT);
    for (; i < count; i++) {
        uint16_t half;
        __builtin_memcpy(&half, in + 2 * i, sizeof half);
        out[i] = half_to_float(half);
    }
}

static void kv_unpack_blocks(float *out, const uint8_t *in, uint32_t rows, uint32_t head_dim) {
    for (; rows > 0; rows--)
        for (uint32_t c = 0; c < head_dim;) {
            uint32_t count = head_dim - c < QUANT_BLOCK ? head_dim - c : QUANT_BLOCK, i = 0;
            uint16_t half;
            __builtin_memcpy(&half, in, sizeof half);
            const int8_t *q = (const int8_t *)in + sizeof half;
            const float d = half_to_float(half);
            for (; i + EIGHT <= count; i += EIGHT)
                v8f_store(out + i, v8f_of(v8i_of_bytes(q + i)) * d, EIGHT);
            for (; i < count; i++)
                out[i] = d * q[i];
            c += count, out += count, in += sizeof half + count;
        }
}

/* Rows first .. first + rows of one head as floats: in place, or in scratch, where there are some
 * behind them, too. */
TENSOR_INLINE const float *kv_floats(const void *cache, enum kv_type type, uint32_t head_dim,
                                     uint32_t first, uint32_t rows, float *scratch, bool more) {
    const uint8_t *in = (const uint8_t *)cache + (size_t)first * kv_row_bytes(type, head_dim);
    if (type == KV_F32 && !more)
        return (const float *)(const void *)in;
    if (type == KV_F32)
        __builtin_memcpy(scratch, in, (size_t)rows * head_dim * sizeof *scratch);
    else if (type == KV_F16)
        kv_unpack_halves(scratch, in, rows * head_dim);
    else
        kv_unpack_blocks(scratch, in, rows, head_dim);
    return scratch;
}

#endif
