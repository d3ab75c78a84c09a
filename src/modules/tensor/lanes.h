/* lanes.h - vectors of 32-bit lanes, one lane for each row of a group: all sixteen with AVX-512 and
 * VNNI, otherwise eight, and a group is two halves.
 *
 * The operators of the language work on all lanes; here is what it has no operator for. Integer
 * results are exact, float operations are done one by one in the order of the source: every variant
 * gives the same bits. */
#ifndef FLUID_TENSOR_LANES_H
#define FLUID_TENSOR_LANES_H

#include "eight.h"
#include "fluid/tensor.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VNNI__)
#define TENSOR_VNNI
#define LANES 16

/* i, u: of 32 bits, with and without a sign; s, w: of 16 bits; f: floats. */
typedef int32_t vi __attribute__((vector_size(64), may_alias));
typedef uint32_t vu __attribute__((vector_size(64), may_alias));
typedef float vf __attribute__((vector_size(64), may_alias));
typedef int16_t vs __attribute__((vector_size(64), may_alias));
typedef uint16_t vw __attribute__((vector_size(64), may_alias));

/* 64 bytes from anywhere. */
TENSOR_INLINE vi vi_load(const void *p) {
    return (vi)_mm512_loadu_si512(p);
}

/* Sixteen f16, from anywhere. */
TENSOR_INLINE vf vf_halves(const void *half) {
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256(half));
}

/* The first count floats, all when there are as many. */
TENSOR_INLINE void vf_store(float *out, vf v, size_t count) {
    v8f_store(out, __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7), count);
    if (count > EIGHT)
        v8f_store(out + EIGHT, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15),
                  count - EIGHT);
}

/* Bytes low and high of each lane, in its lower and upper 16 bits. */
TENSOR_INLINE vi vi_bytes(vi v, unsigned low, unsigned high) {
    const vi lane = {0, 0x40004, 0x80008, 0xc000c, 0, 0x40004, 0x80008, 0xc000c,
                     0, 0x40004, 0x80008, 0xc000c, 0, 0x40004, 0x80008, 0xc000c};
    return (vi)_mm512_shuffle_epi8((__m512i)v,
                                   (__m512i)(lane + (int32_t)(0x80008000u | high << 16 | low)));
}

/* sum + products of four bytes, those of w without a sign, those of x with one. */
TENSOR_INLINE vi vi_add_bytes(vi sum, vi w, vi x) {
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}

/* sum + products of two pairs of 16-bit integers. */
TENSOR_INLINE vi vi_add_pairs(vi sum, vi a, vi b) {
    return (vi)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}
#else
#define LANES EIGHT

typedef v8i vi;
typedef v8u vu;
typedef v8f vf;
typedef v16s vs;
typedef v16u vw;

TENSOR_INLINE vi vi_load(const void *p) {
    return v8i_load(p);
}

TENSOR_INLINE vf vf_halves(const void *half) {
    return v8f_halves(half);
}

TENSOR_INLINE void vf_store(float *out, vf v, size_t count) {
    v8f_store(out, v, count);
}

TENSOR_INLINE vi vi_bytes(vi v, unsigned low, unsigned high) {
#ifdef __SSSE3__
    const v8i lane = {0, 0x40004, 0x80008, 0xc000c, 0, 0x40004, 0x80008, 0xc000c};
    return V8I_BOTH(shuffle_epi8, v, lane + (int32_t)(0x80008000u | high << 16 | low));
#else
    return (v >> 8 * low & 255) | (v >> 8 * high & 255) << 16;
#endif
}

TENSOR_INLINE vi vi_add_pairs(vi sum, vi a, vi b) {
    return sum + v8i_madd(a, b);
}
#endif

#define HALVES (PACK_ROWS / LANES) /* of a group */

/* The same four bytes in every lane. */
TENSOR_INLINE vi vi_broadcast(const void *p) {
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return (vi){0} + value;
}

TENSOR_INLINE vf vf_of(vi v) {
    return __builtin_convertvector(v, vf);
}

/* Every byte of v, shifted and masked as they are needed: bits shift .. of each byte. mask < 256 >>
 * shift, so that nothing of the neighbour stays. */
TENSOR_INLINE vi vi_bits(vi v, unsigned shift, uint8_t mask) {
    return (vi)((vu)v >> shift) & (int32_t)(mask * 0x01010101u);
}

/* As vi_bytes, of bytes with a sign. */
TENSOR_INLINE vi vi_signed_bytes(vi v, unsigned low, unsigned high) {
    return (vi)((vs)((vw)vi_bytes(v, low, high) << 8) >> 8);
}

#endif
