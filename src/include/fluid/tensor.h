/* tensor.h - the tensor operations: names, signatures and data layouts.
 *
 * Every operation is exported by a module in src/modules/tensor/ under the name given here and
 * called through a slot (kapi.h). All matrices are row-major; n is the number of tokens in the
 * batch. Quantised types and block layouts are GGML's (GGUF specification, "tensor types"). */
#ifndef FLUID_TENSOR_H
#define FLUID_TENSOR_H

#include <stdint.h>

enum ggml_type {
    GGML_TYPE_F32 = 0,
    GGML_TYPE_F16 = 1,
    GGML_TYPE_Q4_0 = 2, /* 32 weights: f16 d, 16 bytes; w = d * (nibble - 8) */
    GGML_TYPE_Q4_1 = 3, /* 32 weights: f16 d, f16 m, 16 bytes; w = d * nibble + m */
    GGML_TYPE_Q5_0 = 6, /* 32 weights of five bits; w = d * (q - 16) */
    GGML_TYPE_Q5_1 = 7, /* w = d * q + m */
    GGML_TYPE_Q8_0 = 8, /* 32 weights: f16 d, 32 int8; w = d * q */
    /* 256 weights, a small scale for each 16 or 32: layouts in tensor_q2_k.c .. tensor_q6_k.c. */
    GGML_TYPE_Q2_K = 10,
    GGML_TYPE_Q3_K = 11,
    GGML_TYPE_Q4_K = 12,
    GGML_TYPE_Q5_K = 13,
    GGML_TYPE_Q6_K = 14,
    GGML_TYPE_BF16 = 30,
    GGML_TYPES /* above all of them */
};

#define QUANT_BLOCK 32
#define SUPER_BLOCK 256

/* Activations in 8 bits, one block per 32 values: x = d * q, |q| <= 127. */
struct act_q8 {
    float d;
    float sum;      /* d * (q[0] + ... + q[31]) */
    int32_t offset; /* -8 * (q[0] + ... + q[31]) */
    int8_t q[QUANT_BLOCK];
};
_Static_assert(sizeof(struct act_q8) == 44, "layout known to the tensor kernels");

/* The same in blocks of 256, for weights whose blocks have 256. */
struct act_q8_k {
    float d;
    int16_t sums[SUPER_BLOCK / 16]; /* of 16 values each */
    int8_t q[SUPER_BLOCK];
};
_Static_assert(sizeof(struct act_q8_k) == 292, "layout known to the tensor kernels");

/* "matmul_q4_0", "matmul_q4_1", "matmul_q5_0", "matmul_q5_1", "matmul_q8_0": w is packed (below), x
 * is struct act_q8 (cols / 32, n).
 * "matmul_q2_k", "matmul_q3_k", "matmul_q4_k", "matmul_q5_k", "matmul_q6_k": w is packed, x is
 * struct act_q8_k (cols / 256, n).
 * "matmul_f32", "matmul_f16", "matmul_bf16": w is row-major, x is float (n, cols).
 * out[t * out_stride + r] = sum over c of w[r][c] * x[t][c]; w: (rows, cols) of any byte alignment
 * that GGUF allows (32), cols a multiple of the type's block. Reads nothing outside w and x.
 * ahead: how many bytes before they are used packed weights are fetched into the caches; 0: as far
 * as has been found good for most processors, AHEAD_NONE: the processor foresees what is read in
 * order. No result depends on it. */
#define AHEAD_NONE 1u
typedef void matmul_fn(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                       uint32_t cols, uint32_t n, uint32_t ahead);

/* "row_f32", "row_f16", "row_bf16", "row_q4_0", "row_q4_1", "row_q5_0", "row_q5_1", "row_q8_0",
 * "row_q2_k", "row_q3_k", "row_q4_k", "row_q5_k", "row_q6_k": dequantises row r of w (rows, cols),
 * laid out as for the product, to out (cols,). Embedding lookup. */
typedef void row_fn(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols);

/* "pack_q4_0", "pack_q4_1", "pack_q5_0", "pack_q5_1", "pack_q8_0", "pack_q2_k", "pack_q3_k",
 * "pack_q4_k", "pack_q5_k", "pack_q6_k": sixteen rows of w in their GGML layout to the same size of
 * out, which is elsewhere. Weights (rows, cols) are packed when each group of sixteen rows, from
 * the first one on, is; fewer rows at the end stay in their GGML layout. */
#define PACK_ROWS 16
typedef void pack_fn(void *out, const void *w, uint32_t cols);

/* "quantize_q8", "quantize_q8_k": x (n, cols) -> out[block * stride + token], struct act_q8 of 32
 * values or struct act_q8_k of 256: d = max|x| / 127, q = x * (127 / max|x|), to the nearest
 * integer, of two the even one. So does llama.cpp. stride: tokens of the batch that these are a
 * part of. */
typedef void quantize_fn(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride);

/* "rmsnorm": out = x / sqrt(mean(x^2) + eps) * w per token; x, out (n, dim), w (dim,). */
typedef void rmsnorm_fn(float *out, const float *x, const float *w, uint32_t dim, float eps,
                        uint32_t n);

/* "rope": rotates pairs (2i, 2i+1) of the first rope_dim values of each head in place. x (n, heads,
 * head_dim); table (positions, rope_dim / 2, 2) holds cos, sin; token t is at position pos + t. */
typedef void rope_fn(float *x, const float *table, uint32_t pos, uint32_t heads, uint32_t head_dim,
                     uint32_t rope_dim, uint32_t n);

/* A cache of K or V is (kv_heads, ctx) rows of head_dim values: floats, halves, or Q8_0, blocks of
 * 32 values, the last one of what is left: f16 d, then int8 q; value = d * q. */
enum kv_type { KV_Q8_0 = 1, KV_F16 = 2, KV_F32 = 4 }; /* bytes of a value, without d */
#define KV_BLOCK_BYTES (2 + QUANT_BLOCK)              /* of Q8_0 */

static inline uint32_t kv_row_bytes(enum kv_type type, uint32_t head_dim) {
    return head_dim * type + (type == KV_Q8_0 ? 2 * ((head_dim - 1) / QUANT_BLOCK + 1) : 0);
}

/* "store_kv": x (n, kv_heads, head_dim) to positions pos .. pos + n of a cache of K or V. F16 and
 * Q8_0: what is larger than the largest half, and NaN, becomes that; then rounded to the nearest,
 * of two the even one. Q8_0: d = max|x| / 127 as a half, q = x / d, at most what 8 bits hold, which
 * is less where d has few bits itself. */
typedef void store_kv_fn(void *cache, enum kv_type type, const float *x, uint32_t kv_heads,
                         uint32_t ctx, uint32_t head_dim, uint32_t pos, uint32_t n);

/* One layer's attention over its KV cache. Token t sees positions 0 .. pos + t; its own K and V are
 * already in the cache. */
#define ATTENTION_BLOCK 64 /* positions that are unpacked and used together */
struct attention_args {
    float *out;     /* (n, heads, head_dim), stride floats from token to token */
    const float *q; /* the same */
    const void *k;  /* (kv_heads, ctx) rows: one contiguous run per kv head */
    const void *v;  /* the same */
    float *scratch; /* (2, ATTENTION_BLOCK, head_dim), of this call alone */
    enum kv_type type;
    uint32_t heads, kv_heads, head_dim, ctx; /* heads % kv_heads == 0 */
    uint32_t stride, pos, n;
};
typedef void attention_fn(const struct attention_args *args); /* "attention" */

/* "swiglu": gate[i] = silu(gate[i]) * up[i] for i < count; silu(x) = x / (1 + exp(-x)). */
typedef void swiglu_fn(float *gate, const float *up, uint64_t count);

/* "add": x[i] += y[i] for i < count. Residual connection. */
typedef void add_fn(float *x, const float *y, uint64_t count);

#endif
