/* wrap.c - what is called in place of an operation while calls are taken down, on any core. */
#include "calls.h"

/* Of results that lie far apart, as logits of several tokens, what is between them is left out. */
static void wrap_matmul(float *out, uint32_t out_stride, const void *w, const void *x,
                        uint32_t rows, uint32_t cols, uint32_t n, uint32_t ahead) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->matmul.out = out, c->matmul.out_stride = rows;
        c->matmul.w = w, c->matmul.x = x;
        c->matmul.rows = rows, c->matmul.cols = cols, c->matmul.n = n, c->matmul.ahead = ahead;
        trial_keep(c);
    }
    ((matmul_fn *)trial_current->code)(out, out_stride, w, x, rows, cols, n, ahead);
}

static void wrap_row(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->row.out = out, c->row.w = w, c->row.r = r, c->row.rows = rows, c->row.cols = cols;
        trial_keep(c);
    }
    ((row_fn *)trial_current->code)(out, w, r, rows, cols);
}

static void wrap_quantize(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->quantize.out = out, c->quantize.x = x, c->quantize.cols = cols, c->quantize.n = n;
        c->quantize.stride = stride;
        trial_keep(c);
    }
    ((quantize_fn *)trial_current->code)(out, x, cols, n, stride);
}

static void wrap_rmsnorm(float *out, const float *x, const float *w, uint32_t dim, float eps,
                         uint32_t n) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->rmsnorm.out = out, c->rmsnorm.x = x, c->rmsnorm.w = w, c->rmsnorm.dim = dim;
        c->rmsnorm.eps = eps, c->rmsnorm.n = n;
        trial_keep(c);
    }
    ((rmsnorm_fn *)trial_current->code)(out, x, w, dim, eps, n);
}

static void wrap_rope(float *x, const float *table, uint32_t pos, uint32_t heads, uint32_t head_dim,
                      uint32_t rope_dim, uint32_t n) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->rope.x = x, c->rope.table = table, c->rope.pos = pos, c->rope.heads = heads;
        c->rope.head_dim = head_dim, c->rope.rope_dim = rope_dim, c->rope.n = n;
        trial_keep(c);
    }
    ((rope_fn *)trial_current->code)(x, table, pos, heads, head_dim, rope_dim, n);
}

/* Of the cache, which is large, only as many positions as are stored: another place in it, for the
 * same code. */
static void wrap_store_kv(void *cache, enum kv_type type, const float *x, uint32_t kv_heads,
                          uint32_t ctx, uint32_t head_dim, uint32_t pos, uint32_t n) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->store_kv.cache = cache, c->store_kv.type = type, c->store_kv.x = x;
        c->store_kv.kv_heads = kv_heads, c->store_kv.ctx = n, c->store_kv.head_dim = head_dim;
        c->store_kv.pos = 0, c->store_kv.n = n;
        trial_keep(c);
    }
    ((store_kv_fn *)trial_current->code)(cache, type, x, kv_heads, ctx, head_dim, pos, n);
}

static void wrap_attention(const struct attention_args *args) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->attention = *args;
        trial_keep(c);
    }
    ((attention_fn *)trial_current->code)(args);
}

static void wrap_swiglu(float *gate, const float *up, uint64_t count) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->swiglu.gate = gate, c->swiglu.up = up, c->swiglu.count = count;
        trial_keep(c);
    }
    ((swiglu_fn *)trial_current->code)(gate, up, count);
}

static void wrap_add(float *x, const float *y, uint64_t count) {
    struct call *c = trial_claim();
    if (c != NULL) {
        c->add.x = x, c->add.y = y, c->add.count = count;
        trial_keep(c);
    }
    ((add_fn *)trial_current->code)(x, y, count);
}

void *wrapper_of(enum kind kind) {
    static void *const wrappers[] = {
        [KIND_MATMUL] = (void *)wrap_matmul,
        [KIND_ROW] = (void *)wrap_row,
        [KIND_QUANTIZE] = (void *)wrap_quantize,
        [KIND_RMSNORM] = (void *)wrap_rmsnorm,
        [KIND_ROPE] = (void *)wrap_rope,
        [KIND_STORE_KV] = (void *)wrap_store_kv,
        [KIND_ATTENTION] = (void *)wrap_attention,
        [KIND_SWIGLU] = (void *)wrap_swiglu,
        [KIND_ADD] = (void *)wrap_add,
    };
    return wrappers[kind];
}
