/* weights.c - finds the tensors of a llama model and checks every shape. */
#include "weights.h"

#define NAME_MAX 64

struct search {
    const struct gguf *g;
    struct weights *w;
    uint64_t type_bytes[GGML_TYPES];
    struct fluid_error *err;
};

struct fluid_slot *operation(const char *name, uint32_t rows, uint32_t cols,
                             struct fluid_error *err) {
    struct fluid_slot *slot = fluid_slot_get(name, rows, cols);
    if (slot == NULL)
        fluid_fail(err, "E-ENG-01",
                   "operation %s: a module that offers it expected, none found (rebuild the image "
                   "with all tensor modules)",
                   name);
    return slot;
}

static char *append(char *to, const char *text) {
    size_t n = strlen(text);
    memcpy(to, text, n + 1);
    return to + n;
}

/* "blk.<layer>.<part>" */
static void block_name(char name[NAME_MAX], uint32_t layer, const char *part) {
    char digits[11];
    char *d = digits + sizeof digits - 1;
    *d = 0;
    do
        *--d = (char)('0' + layer % 10);
    while ((layer /= 10) != 0);
    char *end = append(name, "blk.");
    end = append(end, d);
    append(append(end, "."), part);
}

/* The tensor (rows, cols), one-dimensional when rows is 0; NULL and the error when it is not so. */
static struct gguf_tensor *find(struct search *s, const char *name, uint32_t rows, uint32_t cols) {
    struct gguf_tensor *t = gguf_tensor(s->g, name);
    if (t == NULL) {
        fluid_fail(s->err, "E-GGUF-15",
                   "tensor %s: expected, none found (file damaged? re-copy MODEL.GGUF)", name);
        return NULL;
    }
    uint32_t dims = rows == 0 ? 1 : 2;
    if (t->n_dims != dims) {
        fluid_fail(s->err, "E-GGUF-07",
                   "tensor %s: %u dims expected, %u found (file damaged? re-copy MODEL.GGUF)", name,
                   dims, t->n_dims);
        return NULL;
    }
    if (t->dim[0] != cols || t->dim[1] != (rows == 0 ? 1 : rows)) {
        fluid_fail(s->err, "E-GGUF-16",
                   "tensor %s: shape (%u, %u) expected from the llama.* keys, (%llu, %llu) found "
                   "(file damaged? re-copy MODEL.GGUF)",
                   name, cols, rows == 0 ? 1 : rows, (unsigned long long)t->dim[0],
                   (unsigned long long)t->dim[1]);
        return NULL;
    }
    t->used = true;
    s->type_bytes[t->type] += t->bytes;
    s->w->bytes += t->bytes;
    return t;
}

static int find_vector(struct search *s, const char *name, uint32_t dim, const float **out) {
    const struct gguf_tensor *t = find(s, name, 0, dim);
    if (t == NULL)
        return -1;
    if (t->type != GGML_TYPE_F32)
        return fluid_fail(s->err, "E-GGUF-16",
                          "tensor %s: F32 expected, %s found (convert the model again)", name,
                          gguf_type_name(t->type));
    *out = t->data;
    return 0;
}

/* *out stays as it is when there is none. */
static int find_optional(struct search *s, const char *name, uint32_t dim, const float **out) {
    return gguf_tensor(s->g, name) == NULL ? 0 : find_vector(s, name, dim, out);
}

static int find_matrix(struct search *s, const char *name, uint32_t rows, uint32_t cols,
                       struct matrix *out) {
    const struct gguf_tensor *t = find(s, name, rows, cols);
    if (t == NULL)
        return -1;
    *out =
        (struct matrix){.data = t->data, .rows = rows, .cols = cols, .type = t->type, .bias = NULL};
    out->matmul = operation(gguf_type_matmul(t->type), rows, cols, s->err);
    if (out->matmul == NULL || gguf_type_pack(t->type) == NULL)
        return out->matmul == NULL ? -1 : 0;
    out->pack = operation(gguf_type_pack(t->type), 0, cols, s->err);
    out->quantize = operation(gguf_type_quantize(t->type), 0, cols, s->err);
    return out->pack == NULL || out->quantize == NULL ? -1 : 0;
}

static int find_layer(struct search *s, uint32_t index, const struct config *c, struct layer *l) {
    uint32_t q_dim = c->heads * c->head_dim, kv_dim = c->kv_heads * c->head_dim;
    const struct {
        const char *weight, *bias;
        uint32_t rows, cols;
        struct matrix *out;
    } parts[] = {
        {"attn_q.weight", "attn_q.bias", q_dim, c->dim, &l->wq},
        {"attn_k.weight", "attn_k.bias", kv_dim, c->dim, &l->wk},
        {"attn_v.weight", "attn_v.bias", kv_dim, c->dim, &l->wv},
        {"attn_output.weight", "attn_output.bias", c->dim, q_dim, &l->wo},
        {"ffn_gate.weight", "ffn_gate.bias", c->ffn_dim, c->dim, &l->gate},
        {"ffn_up.weight", "ffn_up.bias", c->ffn_dim, c->dim, &l->up},
        {"ffn_down.weight", "ffn_down.bias", c->dim, c->ffn_dim, &l->down},
    };
    char name[NAME_MAX];
    block_name(name, index, "attn_norm.weight");
    if (find_vector(s, name, c->dim, &l->attn_norm) != 0)
        return -1;
    block_name(name, index, "ffn_norm.weight");
    if (find_vector(s, name, c->dim, &l->ffn_norm) != 0)
        return -1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        block_name(name, index, parts[i].weight);
        if (find_matrix(s, name, parts[i].rows, parts[i].cols, parts[i].out) != 0)
            return -1;
        block_name(name, index, parts[i].bias);
        if (find_optional(s, name, parts[i].rows, &parts[i].out->bias) != 0)
            return -1;
    }
    return 0;
}

/* A bias or an expert left aside would give wrong text without a word. */
static int check_all_used(const struct search *s) {
    for (uint32_t i = 0; i < s->g->n_tensors; i++)
        if (!s->g->tensors[i].used)
            return fluid_fail(s->err, "E-GGUF-18",
                              "tensor %.*s: none of this name expected (this kind of model is not "
                              "supported)",
                              SPAN_ARG(s->g->tensors[i].name));
    return 0;
}

int weights_find(struct weights *w, struct memory *memory, const struct gguf *g,
                 const struct config *c, uint32_t vocab, struct fluid_error *err) {
    struct search s = {.g = g, .w = w, .err = err};
    w->layer = memory_take(memory, c->layers, sizeof *w->layer, "layer table", err);
    if (w->layer == NULL || find_matrix(&s, "token_embd.weight", vocab, c->dim, &w->embedding) != 0)
        return -1;
    w->embed_row = operation(gguf_type_row(w->embedding.type), vocab, c->dim, err);
    if (w->embed_row == NULL)
        return -1;
    for (uint32_t i = 0; i < c->layers; i++)
        if (find_layer(&s, i, c, &w->layer[i]) != 0)
            return -1;
    if (find_vector(&s, "output_norm.weight", c->dim, &w->output_norm) != 0 ||
        find_optional(&s, "rope_freqs.weight", c->rope_dim / 2, &w->rope_factors) != 0)
        return -1;
    w->output = w->embedding;
    if (gguf_tensor(g, "output.weight") != NULL &&
        find_matrix(&s, "output.weight", vocab, c->dim, &w->output) != 0)
        return -1;
    for (uint32_t type = 0; type < sizeof s.type_bytes / sizeof *s.type_bytes; type++)
        if (s.type_bytes[type] > s.type_bytes[w->main_type])
            w->main_type = type;
    return check_all_used(&s);
}
