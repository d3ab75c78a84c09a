/* weights.h - the tensors of a llama model: found by name, shapes checked, operations looked up. */
#ifndef LLAMA_WEIGHTS_H
#define LLAMA_WEIGHTS_H

#include "config.h"

struct matrix {
    void *data; /* (rows, cols) as the operations of its type want it */
    uint32_t rows, cols;
    uint32_t type;               /* enum ggml_type */
    const float *bias;           /* (rows,), added to each product; NULL: none */
    struct fluid_slot *matmul;   /* matmul_fn */
    struct fluid_slot *pack;     /* pack_fn; NULL: products take floats */
    struct fluid_slot *quantize; /* quantize_fn, for what they take otherwise */
};

struct layer {
    const float *attn_norm; /* (dim,) */
    const float *ffn_norm;  /* (dim,) */
    struct matrix wq;       /* (heads * head_dim, dim) */
    struct matrix wk, wv;   /* (kv_heads * head_dim, dim) */
    struct matrix wo;       /* (dim, heads * head_dim) */
    struct matrix gate, up; /* (ffn_dim, dim) */
    struct matrix down;     /* (dim, ffn_dim) */
};

struct weights {
    struct matrix embedding;      /* (vocab, dim) */
    struct fluid_slot *embed_row; /* row_fn */
    struct layer *layer;          /* (layers,) */
    const float *output_norm;     /* (dim,) */
    const float *rope_factors;    /* (rope_dim / 2,) which divide frequencies; NULL: none */
    struct matrix output;         /* (vocab, dim); the embedding when tied */
    uint64_t bytes;
    uint32_t main_type; /* of most bytes */
};

/* E-GGUF-15: missing; -16: wrong shape or type; -18: a tensor that nothing here uses; E-ENG-01: no
 * module offers an operation. */
int weights_find(struct weights *w, struct memory *memory, const struct gguf *g,
                 const struct config *c, uint32_t vocab, struct fluid_error *err);

/* Operation by name and shape, or NULL and E-ENG-01. */
struct fluid_slot *operation(const char *name, uint32_t rows, uint32_t cols,
                             struct fluid_error *err);

#endif
