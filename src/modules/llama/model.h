/* model.h - an open model: what was read from its file, its buffers, and where it stands. */
#ifndef LLAMA_MODEL_H
#define LLAMA_MODEL_H

#include "chat.h"
#include "fluid/engine.h"
#include "fluid/module.h"
#include "share.h"
#include "tokenizer.h"
#include "weights.h"

#define MODEL_BATCH 64                  /* tokens per llama_eval */
#define MODEL_LOGITS_ROWS ENGINE_LOGITS /* positions whose logits are computed together */
#define MODEL_MIN_CTX 128               /* a smaller context is not worth starting */

/* Operations that do not depend on the type of the weights. */
struct operations {
    struct fluid_slot *rmsnorm, *rope, *store_kv, *attention, *swiglu, *add;
};

struct candidate { /* for the next token */
    float logit;
    int32_t id;
};

/* Activations of one batch; n is MODEL_BATCH. */
struct buffers {
    float *x;                     /* (n, dim) the residual stream */
    float *norm;                  /* (n, dim) */
    float *q;                     /* (n, heads, head_dim) */
    float *k, *v;                 /* (n, kv_heads, head_dim) */
    float *scratch;               /* (cores, 2, ATTENTION_BLOCK, head_dim) */
    float *heads;                 /* (n, heads, head_dim) attention's result */
    float *out;                   /* (n, dim) */
    float *gate, *up;             /* (n, ffn_dim) */
    void *quantized;              /* struct act_q8 (widest row / 32 + 1, n), or act_q8_k */
    float *logits;                /* (MODEL_LOGITS_ROWS, vocab) */
    struct candidate *candidates; /* (vocab,) */
};

/* What grows with the context. */
struct cache {
    uint32_t ctx; /* positions allocated */
    enum kv_type type;
    void **layer; /* (layers,) of K, (kv_heads, ctx) rows (tensor.h), then V of the same shape */
    float *rope;  /* (ctx, rope_dim / 2, 2) cos, sin */
    uint64_t kv_bytes;
};

struct llama_model {
    struct memory memory;
    struct gguf gguf;
    struct config config;
    struct vocab vocab;
    struct tokenizer tokenizer;
    const struct chat_template *chat; /* NULL: none that is known */
    struct weights weights;
    struct operations op;
    struct buffers buffers;
    struct cache cache;
    struct share share;
    uint32_t pos;      /* tokens in the cache */
    uint32_t n_logits; /* buffers.logits holds those of positions pos - n_logits .. pos - 1 */
};

/* Takes the batch's buffers. */
int buffers_init(struct llama_model *m, struct fluid_error *err);

/* Takes as much context as fits, at most max_ctx (0: the model's own). E-MEM-01: not even
 * MODEL_MIN_CTX positions fit. */
int cache_init(struct llama_model *m, uint32_t max_ctx, struct fluid_error *err);
const char *cache_type_name(const struct cache *cache);

/* The forward pass over n tokens at m->pos: leaves the residual stream in buffers.x and K, V in the
 * cache. -1 with code "": fluid_poll said stop. */
int forward(struct llama_model *m, const int32_t *ids, uint32_t n, struct fluid_error *err);

/* Logits of rows first .. first + n of buffers.x into buffers.logits, n <= MODEL_LOGITS_ROWS. -1 as
 * above. */
int compute_logits(struct llama_model *m, uint32_t first, uint32_t n, struct fluid_error *err);

/* next: the token whose logit is wanted, or VOCAB_NONE. */
void predict(const float *logits, uint32_t vocab, int32_t next, struct llama_prediction *out);

/* Everything of a model that needs no tensors: metadata, vocabulary, tokenizer, chat template. */
int open_text(struct llama_model *m, void *gguf, uint64_t size, struct fluid_error *err);

#endif
