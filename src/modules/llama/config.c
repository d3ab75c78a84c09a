/* config.c - reads and checks the llama.* keys. */
#include "config.h"

#include "rope.h"

/* Keys of other members of the family. With a value other than the neutral one they change the
 * forward pass in ways that forward.c does not know. */
static const struct {
    const char *key;
    float neutral;
} unsupported[] = {
    {"llama.expert_count", 0},
    {"llama.logit_scale", 1},
    {"llama.embedding_scale", 1},
    {"llama.residual_scale", 1},
    {"llama.attention.scale", 0},
    {"llama.attention.clamp_kqv", 0},
    {"llama.attention.sliding_window", 0},
    {"llama.attn_logit_softcapping", 0},
    {"llama.final_logit_softcapping", 0},
};

static bool is_neutral(const struct gguf_value *v, float neutral) {
    if (v->is_array)
        return false;
    if (v->kind == GGUF_F32)
        return load_f32(v->at) == neutral || load_f32(v->at) == 0;
    if (v->kind == GGUF_U32 || v->kind == GGUF_I32)
        return load_u32(v->at) == (uint32_t)neutral;
    return false;
}

static int check_supported(const struct gguf *g, struct fluid_error *err) {
    struct span text;
    if (gguf_string(g, "general.architecture", &text, err) != 0)
        return -1;
    if (text.at == NULL || !span_is(text, "llama"))
        return fluid_fail(
            err, "E-GGUF-17",
            "key general.architecture: llama expected, %.*s found (use a model of the "
            "llama architecture)",
            text.at == NULL ? 4 : SPAN_ARG(text));
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++) {
        const struct gguf_value *v = gguf_find(g, unsupported[i].key);
        if (v != NULL && !is_neutral(v, unsupported[i].neutral))
            return fluid_fail(err, "E-GGUF-18",
                              "key %s: no value or %d expected, another value found (this kind of "
                              "model is not supported)",
                              unsupported[i].key, (int)unsupported[i].neutral);
    }
    return 0;
}

static int read_heads(struct config *c, const struct gguf *g, struct fluid_error *err) {
    uint32_t value_length;
    if (gguf_u32(g, "llama.attention.head_count", 1, 4096, GGUF_REQUIRED, &c->heads, err) != 0 ||
        gguf_u32(g, "llama.attention.head_count_kv", 1, c->heads, c->heads, &c->kv_heads, err) != 0)
        return -1;
    if (c->heads % c->kv_heads != 0)
        return fluid_fail(err, "E-GGUF-14",
                          "key llama.attention.head_count_kv: a divisor of %u heads expected, %u "
                          "found (file damaged? re-copy MODEL.GGUF)",
                          c->heads, c->kv_heads);
    uint32_t natural = c->dim / c->heads;
    if (natural == 0)
        return fluid_fail(err, "E-GGUF-14",
                          "key llama.attention.head_count: at most %u (llama.embedding_length) "
                          "expected, %u found (file damaged? re-copy MODEL.GGUF)",
                          c->dim, c->heads);
    if (gguf_u32(g, "llama.attention.key_length", 2, 4096, natural, &c->head_dim, err) != 0 ||
        gguf_u32(g, "llama.attention.value_length", 2, 4096, c->head_dim, &value_length, err) != 0)
        return -1;
    if (c->head_dim % 2 != 0 || value_length != c->head_dim)
        return fluid_fail(err, "E-GGUF-14",
                          "key llama.attention.key_length: an even number equal to value_length "
                          "expected, %u and %u found (this kind of model is not supported)",
                          c->head_dim, value_length);
    if (gguf_u32(g, "llama.rope.dimension_count", 2, c->head_dim, c->head_dim, &c->rope_dim, err) !=
        0)
        return -1;
    if (c->rope_dim % 2 != 0)
        return fluid_fail(err, "E-GGUF-14",
                          "key llama.rope.dimension_count: an even number expected, %u found (file "
                          "damaged? re-copy MODEL.GGUF)",
                          c->rope_dim);
    return 0;
}

int config_read(struct config *c, const struct gguf *g, struct fluid_error *err) {
    if (check_supported(g, err) != 0 ||
        gguf_u32(g, "llama.block_count", 1, CONFIG_MAX_LAYERS, GGUF_REQUIRED, &c->layers, err) !=
            0 ||
        gguf_u32(g, "llama.embedding_length", 2, CONFIG_MAX_DIM, GGUF_REQUIRED, &c->dim, err) !=
            0 ||
        gguf_u32(g, "llama.feed_forward_length", 1, 4 * CONFIG_MAX_DIM, GGUF_REQUIRED, &c->ffn_dim,
                 err) != 0 ||
        gguf_u32(g, "llama.context_length", 1, CONFIG_MAX_CTX, GGUF_REQUIRED, &c->ctx_model, err) !=
            0 ||
        gguf_f32(g, "llama.attention.layer_norm_rms_epsilon", 0, 1, NULL, &c->eps, err) != 0 ||
        rope_read(&c->rope, c->ctx_model, g, err) != 0)
        return -1;
    return read_heads(c, g, err);
}
