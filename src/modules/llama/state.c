/* state.c - the buffers of a model: one set for a batch, and a context as long as memory allows. */
#include "checked.h"
#include "model.h"
#include "rope.h"

#define BUDGET_PERCENT 85 /* of free memory; the rest is the console's and the file system's */
#define CTX_STEP 32
#define F32_BYTES (4u << 20) /* of K and V as floats, up to which they stay floats: exact */
#define F16_CTX 2048         /* positions that F16 has to have room for; else it is Q8_0 */

static uint32_t max3(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t ab = a > b ? a : b;
    return ab > c ? ab : c;
}

int buffers_init(struct llama_model *m, struct fluid_error *err) {
    const struct config *c = &m->config;
    const uint64_t n = MODEL_BATCH, q_dim = (uint64_t)c->heads * c->head_dim;
    const uint64_t kv_dim = (uint64_t)c->kv_heads * c->head_dim;
    const uint64_t widest = max3(c->dim, (uint32_t)q_dim, c->ffn_dim);
    const uint64_t scratch = 2 * (uint64_t)ATTENTION_BLOCK * c->head_dim * fluid_core_count();
    struct buffers *b = &m->buffers;
    const struct {
        void **out;
        uint64_t count, size;
    } wanted[] = {
        {(void **)&b->x, n * c->dim, sizeof(float)},
        {(void **)&b->norm, n * c->dim, sizeof(float)},
        {(void **)&b->q, n * q_dim, sizeof(float)},
        {(void **)&b->k, n * kv_dim, sizeof(float)},
        {(void **)&b->v, n * kv_dim, sizeof(float)},
        {(void **)&b->scratch, scratch, sizeof(float)},
        {(void **)&b->heads, n * q_dim, sizeof(float)},
        {(void **)&b->out, n * c->dim, sizeof(float)},
        {(void **)&b->gate, n * c->ffn_dim, sizeof(float)},
        {(void **)&b->up, n * c->ffn_dim, sizeof(float)},
        {&b->quantized, n * (widest / QUANT_BLOCK + 1), sizeof(struct act_q8)},
        {(void **)&b->logits, (uint64_t)MODEL_LOGITS_ROWS * m->vocab.n, sizeof(float)},
        {(void **)&b->candidates, m->vocab.n, sizeof(struct candidate)},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        *wanted[i].out = memory_take(&m->memory, wanted[i].count, wanted[i].size, "batch", err);
        if (*wanted[i].out == NULL)
            return -1;
    }
    return 0;
}

static uint64_t layer_bytes(const struct config *c, enum kv_type type, uint64_t ctx) {
    return checked_mul(2 * (uint64_t)c->kv_heads * kv_row_bytes(type, c->head_dim), ctx);
}

static uint64_t cache_cost(const struct config *c, enum kv_type type, uint64_t ctx) {
    uint64_t kv = checked_mul(memory_cost(layer_bytes(c, type, ctx)), c->layers);
    uint64_t rope = memory_cost(checked_mul(ctx, (uint64_t)c->rope_dim * sizeof(float)));
    return checked_add(kv, rope);
}

/* F32 or F16 by the model alone, so that what it says does not depend on the memory of the machine;
 * where that has no room for a context of some use, it is the context that counts. */
static enum kv_type kv_type_for(const struct config *c, uint32_t want, uint64_t budget) {
    if (checked_mul(layer_bytes(c, KV_F32, c->ctx_model), c->layers) <= F32_BYTES)
        return KV_F32;
    return cache_cost(c, KV_F16, want < F16_CTX ? want : F16_CTX) <= budget ? KV_F16 : KV_Q8_0;
}

static int take_cache(struct llama_model *m, enum kv_type type, uint32_t ctx,
                      struct fluid_error *err) {
    const struct config *c = &m->config;
    struct cache *k = &m->cache;
    const char *what = "context";
    k->ctx = ctx;
    k->type = type;
    k->kv_bytes = layer_bytes(c, type, ctx) * c->layers;
    k->rope = memory_take(&m->memory, ctx, (uint64_t)c->rope_dim * sizeof(float), what, err);
    if (k->rope == NULL)
        return -1;
    for (uint32_t i = 0; i < c->layers; i++) {
        k->layer[i] = memory_take(&m->memory, layer_bytes(c, type, ctx), 1, what, err);
        if (k->layer[i] == NULL)
            return -1;
    }
    return 0;
}

static uint64_t budget_of(uint64_t free) {
    return free / 100 * BUDGET_PERCENT;
}

/* The largest context in steps of CTX_STEP, or want itself, that costs at most budget; 0: none. */
static uint32_t fitting_ctx(const struct config *c, enum kv_type type, uint32_t want,
                            uint64_t budget) {
    uint32_t low = 0, high = want / CTX_STEP; /* low fits, high + 1 does not */
    if (cache_cost(c, type, want) <= budget)
        return want;
    while (low < high) {
        uint32_t mid = low + (high - low + 1) / 2;
        if (cache_cost(c, type, (uint64_t)mid * CTX_STEP) <= budget)
            low = mid;
        else
            high = mid - 1;
    }
    return low * CTX_STEP;
}

/* E-MEM-01: for so many tokens. */
static int no_room(const struct config *c, enum kv_type type, uint32_t least, uint64_t free,
                   struct fluid_error *err) {
    const uint64_t budget = budget_of(free);
    if (fitting_ctx(c, type, least, budget) == least)
        return fluid_fail(
            err, "E-MEM-01",
            "context: memory for %u tokens expected in pieces of %llu bytes, found %llu bytes free "
            "in smaller ones (give the machine more memory or use a smaller model)",
            least, (unsigned long long)layer_bytes(c, type, least), (unsigned long long)free);
    return fluid_fail(
        err, "E-MEM-01",
        "context: %llu bytes for %u tokens expected in %d %% of free memory, %llu bytes "
        "free, enough for %u tokens (give the machine more memory or use a smaller model)",
        (unsigned long long)cache_cost(c, type, least), least, BUDGET_PERCENT,
        (unsigned long long)free, fitting_ctx(c, type, least, budget));
}

int cache_init(struct llama_model *m, uint32_t max_ctx, struct fluid_error *err) {
    const struct config *c = &m->config;
    uint32_t want = max_ctx != 0 && max_ctx < c->ctx_model ? max_ctx : c->ctx_model;
    uint32_t least = want < MODEL_MIN_CTX ? want : MODEL_MIN_CTX;
    m->cache.layer = memory_take(&m->memory, c->layers, sizeof *m->cache.layer, "context", err);
    if (m->cache.layer == NULL)
        return -1;
    const uint64_t free = fluid_memory_free(), budget = budget_of(free);
    enum kv_type type = kv_type_for(c, want, budget);
    uint32_t keep = m->memory.count, ctx = fitting_ctx(c, type, want, budget);
    /* The estimate knows nothing of fragmentation: when memory_take fails, try with less. */
    while (ctx >= least && ctx > 0) {
        if (take_cache(m, type, ctx, NULL) == 0) {
            rope_fill(m->cache.rope, ctx, c, m->weights.rope_factors);
            return 0;
        }
        memory_release(&m->memory, keep);
        ctx = ctx * 7 / 8;
        if (type == KV_F16 && ctx < want && ctx < F16_CTX) {
            type = KV_Q8_0;
            ctx = fitting_ctx(c, type, want, budget);
        }
    }
    return no_room(c, type, least, free, err);
}

const char *cache_type_name(const struct cache *cache) {
    return gguf_type_name(cache->type == KV_F32   ? GGML_TYPE_F32
                          : cache->type == KV_F16 ? GGML_TYPE_F16
                                                  : GGML_TYPE_Q8_0);
}
