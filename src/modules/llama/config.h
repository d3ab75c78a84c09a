/* config.h - the hyper-parameters of a llama model, from the llama.* keys, checked. */
#ifndef LLAMA_CONFIG_H
#define LLAMA_CONFIG_H

#include "gguf.h"

#define CONFIG_MAX_LAYERS 512
#define CONFIG_MAX_DIM 65536
#define CONFIG_MAX_CTX (1u << 20)
#define CONFIG_MAX_VOCAB (1u << 20)

enum rope_scaling { ROPE_PLAIN, ROPE_LINEAR, ROPE_YARN };

/* Rotary positions (rope.c). */
struct rope_config {
    enum rope_scaling scaling;
    float base;            /* frequency i of n is base^(-i / n) */
    float factor;          /* by which frequencies are lowered */
    float magnitude;       /* of the rotated vector, against the one before */
    uint32_t ctx_original; /* positions before the scaling */
};

struct config {
    uint32_t layers, dim, ffn_dim;
    uint32_t heads, kv_heads; /* heads % kv_heads == 0 */
    uint32_t head_dim;        /* even */
    uint32_t rope_dim;        /* even, <= head_dim */
    uint32_t ctx_model;       /* positions that the model was trained for */
    float eps;
    struct rope_config rope;
};

/* Refuses what would change the arithmetic and is not implemented: other architectures, experts ...
 * (E-GGUF-17, -18). */
int config_read(struct config *c, const struct gguf *g, struct fluid_error *err);

#endif
