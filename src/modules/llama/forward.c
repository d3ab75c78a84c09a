/* forward.c - the llama forward pass: RMSNorm, grouped-query attention with rotary positions,
 * SwiGLU.
 *
 * No operation mixes tokens of a batch except attention through the cache, so that evaluating a
 * batch and evaluating its tokens one by one gives the same bits. */
#include "model.h"
#include "tokenwise.h"

/* Input of matrix products: as floats, and as integers once a quantised matrix asks for them. */
struct activation {
    const float *x; /* (n, columns of the matrices) */
    uint32_t n;
    const struct fluid_slot *quantized; /* operation that has made buffers.quantized of x */
};

/* What w's product takes of the activations. */
static const void *prepare(struct llama_model *m, const struct matrix *w, struct activation *in) {
    if (w->quantize == NULL)
        return in->x;
    if (in->quantized != w->quantize)
        quantise(m, w, in->x, in->n);
    in->quantized = w->quantize;
    return m->buffers.quantized;
}

static void add_bias(struct llama_model *m, const struct matrix *w, float *out, uint32_t n) {
    for (uint32_t t = 0; w->bias != NULL && t < n; t++)
        FLUID_CALL(add_fn, m->op.add, out + (size_t)t * w->rows, w->bias, w->rows);
}

/* out[i] (n, w[i]->rows) = x w[i]^T for each of count matrices: in one loop those for which
 * buffers.quantized can stay as it is. */
static void multiply(struct llama_model *m, const struct matrix *const w[], float *const out[],
                     uint32_t count, struct activation *in) {
    struct product products[SHARE_PRODUCTS];
    for (uint32_t first = 0, next = 0; first < count; first = next) {
        const struct fluid_slot *kind = NULL;
        for (; next < count; next++) {
            if (kind != NULL && w[next]->quantize != NULL && w[next]->quantize != kind)
                break;
            kind = w[next]->quantize != NULL ? w[next]->quantize : kind;
            products[next - first] = (struct product){w[next], prepare(m, w[next], in), out[next]};
        }
        share_products(&m->share, products, next - first, in->n);
    }
    for (uint32_t i = 0; i < count; i++)
        add_bias(m, w[i], out[i], in->n);
}

static void multiply_one(struct llama_model *m, const struct matrix *w, struct activation *in,
                         float *out) {
    multiply(m, &w, &out, 1, in);
}

static void attend(struct llama_model *m, const struct layer *l, void *cached_k, uint32_t n) {
    const struct config *c = &m->config;
    struct buffers *b = &m->buffers;
    struct cache *k = &m->cache;
    void *cached_v =
        (char *)cached_k + (size_t)c->kv_heads * k->ctx * kv_row_bytes(k->type, c->head_dim);
    normalise(m, l->attn_norm, b->x, n);
    struct activation in = {b->norm, n, NULL};
    multiply(m, (const struct matrix *const[]){&l->wq, &l->wk, &l->wv},
             (float *const[]){b->q, b->k, b->v}, 3, &in);
    FLUID_CALL(rope_fn, m->op.rope, b->q, k->rope, m->pos, c->heads, c->head_dim, c->rope_dim, n);
    FLUID_CALL(rope_fn, m->op.rope, b->k, k->rope, m->pos, c->kv_heads, c->head_dim, c->rope_dim,
               n);
    FLUID_CALL(store_kv_fn, m->op.store_kv, cached_k, k->type, b->k, c->kv_heads, k->ctx,
               c->head_dim, m->pos, n);
    FLUID_CALL(store_kv_fn, m->op.store_kv, cached_v, k->type, b->v, c->kv_heads, k->ctx,
               c->head_dim, m->pos, n);
    const struct attention_args args = {
        .out = b->heads,
        .q = b->q,
        .k = cached_k,
        .v = cached_v,
        .scratch = b->scratch,
        .type = k->type,
        .heads = c->heads,
        .kv_heads = c->kv_heads,
        .head_dim = c->head_dim,
        .ctx = k->ctx,
        .stride = c->heads * c->head_dim,
        .pos = m->pos,
        .n = n,
    };
    share_attention(&m->share, m->op.attention, &args);
    struct activation heads = {b->heads, n, NULL};
    multiply_one(m, &l->wo, &heads, b->out);
    add_residual(m, n);
}

static void feed_forward(struct llama_model *m, const struct layer *l, uint32_t n) {
    struct buffers *b = &m->buffers;
    normalise(m, l->ffn_norm, b->x, n);
    struct activation in = {b->norm, n, NULL};
    multiply(m, (const struct matrix *const[]){&l->gate, &l->up}, (float *const[]){b->gate, b->up},
             2, &in);
    activate(m, n);
    struct activation hidden = {b->gate, n, NULL};
    multiply_one(m, &l->down, &hidden, b->out);
    add_residual(m, n);
}

int forward(struct llama_model *m, const int32_t *ids, uint32_t n, struct fluid_error *err) {
    const struct matrix *e = &m->weights.embedding;
    m->share.cycles = 0;
    m->share.stopped = false;
    for (uint32_t t = 0; t < n; t++)
        FLUID_CALL(row_fn, m->weights.embed_row, m->buffers.x + (size_t)t * e->cols, e->data,
                   (uint32_t)ids[t], e->rows, e->cols);
    for (uint32_t i = 0; i < m->config.layers; i++) {
        if (m->share.stopped || fluid_poll())
            return fluid_fail(err, "", "stopped");
        attend(m, &m->weights.layer[i], m->cache.layer[i], n);
        feed_forward(m, &m->weights.layer[i], n);
    }
    return m->share.stopped ? fluid_fail(err, "", "stopped") : 0;
}

int compute_logits(struct llama_model *m, uint32_t first, uint32_t n, struct fluid_error *err) {
    normalise(m, m->weights.output_norm, m->buffers.x + (size_t)first * m->config.dim, n);
    struct activation in = {m->buffers.norm, n, NULL};
    multiply_one(m, &m->weights.output, &in, m->buffers.logits);
    return m->share.stopped ? fluid_fail(err, "", "stopped") : 0;
}
