/* calls.c - which memory a call reads and writes, by tensor.h, and making it. */
#include "calls.h"

#include <string.h>

#define F ((uint64_t)sizeof(float))

static const struct operation operations[] = {
    {"matmul_q4_0", KIND_MATMUL, QUANT_BLOCK, sizeof(struct act_q8)},
    {"matmul_q4_1", KIND_MATMUL, QUANT_BLOCK, sizeof(struct act_q8)},
    {"matmul_q5_0", KIND_MATMUL, QUANT_BLOCK, sizeof(struct act_q8)},
    {"matmul_q5_1", KIND_MATMUL, QUANT_BLOCK, sizeof(struct act_q8)},
    {"matmul_q8_0", KIND_MATMUL, QUANT_BLOCK, sizeof(struct act_q8)},
    {"matmul_q2_k", KIND_MATMUL, SUPER_BLOCK, sizeof(struct act_q8_k)},
    {"matmul_q3_k", KIND_MATMUL, SUPER_BLOCK, sizeof(struct act_q8_k)},
    {"matmul_q4_k", KIND_MATMUL, SUPER_BLOCK, sizeof(struct act_q8_k)},
    {"matmul_q5_k", KIND_MATMUL, SUPER_BLOCK, sizeof(struct act_q8_k)},
    {"matmul_q6_k", KIND_MATMUL, SUPER_BLOCK, sizeof(struct act_q8_k)},
    {"matmul_f32", KIND_MATMUL, 1, sizeof(float)},
    {"matmul_f16", KIND_MATMUL, 1, sizeof(float)},
    {"matmul_bf16", KIND_MATMUL, 1, sizeof(float)},
    {"row_q4_0", KIND_ROW, 0, 0},
    {"row_q4_1", KIND_ROW, 0, 0},
    {"row_q5_0", KIND_ROW, 0, 0},
    {"row_q5_1", KIND_ROW, 0, 0},
    {"row_q8_0", KIND_ROW, 0, 0},
    {"row_q2_k", KIND_ROW, 0, 0},
    {"row_q3_k", KIND_ROW, 0, 0},
    {"row_q4_k", KIND_ROW, 0, 0},
    {"row_q5_k", KIND_ROW, 0, 0},
    {"row_q6_k", KIND_ROW, 0, 0},
    {"row_f32", KIND_ROW, 0, 0},
    {"row_f16", KIND_ROW, 0, 0},
    {"row_bf16", KIND_ROW, 0, 0},
    {"quantize_q8", KIND_QUANTIZE, QUANT_BLOCK, sizeof(struct act_q8)},
    {"quantize_q8_k", KIND_QUANTIZE, SUPER_BLOCK, sizeof(struct act_q8_k)},
    {"rmsnorm", KIND_RMSNORM, 0, 0},
    {"rope", KIND_ROPE, 0, 0},
    {"store_kv", KIND_STORE_KV, 0, 0},
    {"attention", KIND_ATTENTION, 0, 0},
    {"swiglu", KIND_SWIGLU, 0, 0},
    {"add", KIND_ADD, 0, 0},
};

const struct operation *operation_find(const char *name) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

/* From the first to the last float of n tokens, `width` of each, `stride` from one to the next. */
static uint64_t span(uint32_t n, uint32_t stride, uint64_t width) {
    return ((n - 1) * (uint64_t)stride + width) * F;
}

static uint32_t of_attention(struct attention_args *a, struct buffer *b) {
    uint64_t seen = (a->kv_heads - 1) * (uint64_t)a->ctx + a->pos + a->n; /* positions */
    uint64_t cached = seen * kv_row_bytes(a->type, a->head_dim);
    uint64_t heads = span(a->n, a->stride, (uint64_t)a->heads * a->head_dim);
    b[0] = (struct buffer){(void **)&a->out, heads, USE_OUT};
    b[1] = (struct buffer){(void **)&a->q, heads, USE_IN};
    b[2] = (struct buffer){(void **)&a->k, cached, USE_IN};
    b[3] = (struct buffer){(void **)&a->v, cached, USE_IN};
    b[4] =
        (struct buffer){(void **)&a->scratch, 2 * ATTENTION_BLOCK * a->head_dim * F, USE_SCRATCH};
    return 5;
}

uint32_t call_buffers(struct call *c, struct buffer *b) {
    const struct operation *o = c->operation;
    switch (o->kind) {
    case KIND_MATMUL:
        b[0] = (struct buffer){(void **)&c->matmul.out,
                               span(c->matmul.n, c->matmul.out_stride, c->matmul.rows), USE_OUT};
        b[1] = (struct buffer){(void **)&c->matmul.w, 0, USE_CONSTANT};
        b[2] = (struct buffer){
            (void **)&c->matmul.x,
            (uint64_t)c->matmul.cols / o->block_cols * c->matmul.n * o->block_bytes, USE_IN};
        return 3;
    case KIND_ROW:
        b[0] = (struct buffer){(void **)&c->row.out, c->row.cols * F, USE_OUT};
        b[1] = (struct buffer){(void **)&c->row.w, 0, USE_CONSTANT};
        return 2;
    case KIND_QUANTIZE:
        b[0] =
            (struct buffer){&c->quantize.out,
                            ((c->quantize.cols / o->block_cols - 1) * (uint64_t)c->quantize.stride +
                             c->quantize.n) *
                                o->block_bytes,
                            USE_OUT};
        b[1] = (struct buffer){(void **)&c->quantize.x,
                               (uint64_t)c->quantize.n * c->quantize.cols * F, USE_IN};
        return 2;
    case KIND_RMSNORM:
        b[0] = (struct buffer){(void **)&c->rmsnorm.out,
                               (uint64_t)c->rmsnorm.n * c->rmsnorm.dim * F, USE_OUT};
        b[1] = (struct buffer){(void **)&c->rmsnorm.x, b[0].bytes, USE_IN};
        b[2] = (struct buffer){(void **)&c->rmsnorm.w, 0, USE_CONSTANT};
        return 3;
    case KIND_ROPE:
        b[0] =
            (struct buffer){(void **)&c->rope.x,
                            (uint64_t)c->rope.n * c->rope.heads * c->rope.head_dim * F, USE_CHANGE};
        b[1] = (struct buffer){(void **)&c->rope.table, 0, USE_CONSTANT};
        return 2;
    case KIND_STORE_KV:
        b[0] = (struct buffer){&c->store_kv.cache,
                               (uint64_t)c->store_kv.kv_heads * c->store_kv.ctx *
                                   kv_row_bytes(c->store_kv.type, c->store_kv.head_dim),
                               USE_OUT};
        b[1] = (struct buffer){
            (void **)&c->store_kv.x,
            (uint64_t)c->store_kv.n * c->store_kv.kv_heads * c->store_kv.head_dim * F, USE_IN};
        return 2;
    case KIND_ATTENTION:
        return of_attention(&c->attention, b);
    case KIND_SWIGLU:
        b[0] = (struct buffer){(void **)&c->swiglu.gate, c->swiglu.count * F, USE_CHANGE};
        b[1] = (struct buffer){(void **)&c->swiglu.up, c->swiglu.count * F, USE_IN};
        return 2;
    case KIND_ADD:
        b[0] = (struct buffer){(void **)&c->add.x, c->add.count * F, USE_CHANGE};
        b[1] = (struct buffer){(void **)&c->add.y, c->add.count * F, USE_IN};
        return 2;
    case KIND_NONE:
        break;
    }
    return 0;
}

void call_run(const struct call *c, void *code) {
    switch (c->operation->kind) {
    case KIND_MATMUL:
        ((matmul_fn *)code)(c->matmul.out, c->matmul.out_stride, c->matmul.w, c->matmul.x,
                            c->matmul.rows, c->matmul.cols, c->matmul.n, c->matmul.ahead);
        return;
    case KIND_ROW:
        ((row_fn *)code)(c->row.out, c->row.w, c->row.r, c->row.rows, c->row.cols);
        return;
    case KIND_QUANTIZE:
        ((quantize_fn *)code)(c->quantize.out, c->quantize.x, c->quantize.cols, c->quantize.n,
                              c->quantize.stride);
        return;
    case KIND_RMSNORM:
        ((rmsnorm_fn *)code)(c->rmsnorm.out, c->rmsnorm.x, c->rmsnorm.w, c->rmsnorm.dim,
                             c->rmsnorm.eps, c->rmsnorm.n);
        return;
    case KIND_ROPE:
        ((rope_fn *)code)(c->rope.x, c->rope.table, c->rope.pos, c->rope.heads, c->rope.head_dim,
                          c->rope.rope_dim, c->rope.n);
        return;
    case KIND_STORE_KV:
        ((store_kv_fn *)code)(c->store_kv.cache, c->store_kv.type, c->store_kv.x,
                              c->store_kv.kv_heads, c->store_kv.ctx, c->store_kv.head_dim,
                              c->store_kv.pos, c->store_kv.n);
        return;
    case KIND_ATTENTION:
        ((attention_fn *)code)(&c->attention);
        return;
    case KIND_SWIGLU:
        ((swiglu_fn *)code)(c->swiglu.gate, c->swiglu.up, c->swiglu.count);
        return;
    case KIND_ADD:
        ((add_fn *)code)(c->add.x, c->add.y, c->add.count);
        return;
    case KIND_NONE:
        return;
    }
}
