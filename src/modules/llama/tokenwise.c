/* tokenwise.c - ranges of tokens, given to the operations. */
#include "tokenwise.h"

struct step {
    struct llama_model *m;
    void *code;
    const float *x, *weight;
    uint32_t cols, n;
    size_t block_bytes; /* of a quantised block */
};

static void norm_range(const void *context, uint32_t first, uint32_t count) {
    const struct step *s = context;
    const struct config *c = &s->m->config;
    size_t at = (size_t)first * c->dim;
    ((rmsnorm_fn *)s->code)(s->m->buffers.norm + at, s->x + at, s->weight, c->dim, c->eps, count);
}

void normalise(struct llama_model *m, const float *weight, const float *x, uint32_t n) {
    const struct step s = {.m = m, .code = m->op.rmsnorm->code, .x = x, .weight = weight};
    share_tokens(m->op.rmsnorm, n, norm_range, &s);
}

static void quantise_range(const void *context, uint32_t first, uint32_t count) {
    const struct step *s = context;
    ((quantize_fn *)s->code)((char *)s->m->buffers.quantized + first * s->block_bytes,
                             s->x + (size_t)first * s->cols, s->cols, count, s->n);
}

void quantise(struct llama_model *m, const struct matrix *w, const float *x, uint32_t n) {
    const struct step s = {
        .m = m,
        .code = w->quantize->code,
        .x = x,
        .cols = w->cols,
        .n = n,
        .block_bytes = gguf_type_block(w->type) == SUPER_BLOCK ? sizeof(struct act_q8_k)
                                                               : sizeof(struct act_q8),
    };
    share_tokens(w->quantize, n, quantise_range, &s);
}

static void activate_range(const void *context, uint32_t first, uint32_t count) {
    const struct step *s = context;
    size_t at = (size_t)first * s->cols;
    ((swiglu_fn *)s->code)(s->m->buffers.gate + at, s->m->buffers.up + at,
                           (uint64_t)count * s->cols);
}

void activate(struct llama_model *m, uint32_t n) {
    const struct step s = {.m = m, .code = m->op.swiglu->code, .cols = m->config.ffn_dim};
    share_tokens(m->op.swiglu, n, activate_range, &s);
}

static void add_range(const void *context, uint32_t first, uint32_t count) {
    const struct step *s = context;
    size_t at = (size_t)first * s->cols;
    ((add_fn *)s->code)(s->m->buffers.x + at, s->m->buffers.out + at, (uint64_t)count * s->cols);
}

void add_residual(struct llama_model *m, uint32_t n) {
    const struct step s = {.m = m, .code = m->op.add->code, .cols = m->config.dim};
    share_tokens(m->op.add, n, add_range, &s);
}
