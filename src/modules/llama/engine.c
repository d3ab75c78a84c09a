/* engine.c - the entry points of engine.h: opens a model, evaluates tokens, keeps the position. */
#include "model.h"
#include "pack.h"

static void copy_text(char *to, size_t size, struct span from) {
    size_t n = from.n < size - 1 ? from.n : size - 1;
    memcpy(to, from.at, n);
    to[n] = 0;
}

static int find_operations(struct operations *op, const struct config *c, struct fluid_error *err) {
    const struct {
        const char *name;
        uint32_t cols;
        struct fluid_slot **out;
    } wanted[] = {
        {"rmsnorm", c->dim, &op->rmsnorm},        {"rope", c->head_dim, &op->rope},
        {"store_kv", c->head_dim, &op->store_kv}, {"attention", c->head_dim, &op->attention},
        {"swiglu", c->ffn_dim, &op->swiglu},      {"add", c->dim, &op->add},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        *wanted[i].out = operation(wanted[i].name, 0, wanted[i].cols, err);
        if (*wanted[i].out == NULL)
            return -1;
    }
    return 0;
}

static int fill_info(const struct llama_model *m, struct llama_info *info,
                     struct fluid_error *err) {
    const struct config *c = &m->config;
    struct span name;
    if (gguf_string(&m->gguf, "general.name", &name, err) != 0)
        return -1;
    memset(info, 0, sizeof *info);
    copy_text(info->name, sizeof info->name, name.at == NULL ? span_of("unnamed") : name);
    copy_text(info->quant, sizeof info->quant, span_of(gguf_type_name(m->weights.main_type)));
    copy_text(info->tokenizer, sizeof info->tokenizer,
              span_of(m->vocab.bpe ? "gpt2/smollm" : "llama"));
    copy_text(info->chat_template, sizeof info->chat_template, span_of(chat_name(m->chat)));
    copy_text(info->kv_type, sizeof info->kv_type, span_of(cache_type_name(&m->cache)));
    info->n_layers = c->layers;
    info->dim = c->dim;
    info->ffn_dim = c->ffn_dim;
    info->heads = c->heads;
    info->kv_heads = c->kv_heads;
    info->head_dim = c->head_dim;
    info->rope_dim = c->rope_dim;
    info->vocab = m->vocab.n;
    info->ctx_model = c->ctx_model;
    info->ctx = m->cache.ctx;
    info->batch = MODEL_BATCH;
    info->weight_bytes = m->weights.bytes;
    info->kv_bytes = m->cache.kv_bytes;
    info->scratch_bytes = m->memory.bytes - m->cache.kv_bytes;
    info->eot = chat_end_of_turn(m->chat, &m->vocab);
    info->add_bos = m->vocab.add_bos;
    return 0;
}

int open_text(struct llama_model *m, void *gguf, uint64_t size, struct fluid_error *err) {
    if (gguf_open(&m->gguf, &m->memory, gguf, size, err) != 0 ||
        config_read(&m->config, &m->gguf, err) != 0 ||
        vocab_read(&m->vocab, &m->memory, &m->gguf, err) != 0 ||
        chat_recognise(&m->gguf, &m->chat, err) != 0)
        return -1;
    return tokenizer_init(&m->tokenizer, &m->memory, &m->vocab, err);
}

static int open_tensors(struct llama_model *m, uint32_t max_ctx, struct fluid_error *err) {
    if (weights_find(&m->weights, &m->memory, &m->gguf, &m->config, m->vocab.n, err) != 0 ||
        find_operations(&m->op, &m->config, err) != 0 || buffers_init(m, err) != 0 ||
        pack_weights(&m->weights, m->config.layers, err) != 0)
        return -1;
    return cache_init(m, max_ctx, err);
}

/* Messages may quote names from the file: what is not printable ASCII becomes '?'. */
static void clean_error(struct fluid_error *err) {
    for (char *c = err == NULL ? NULL : err->text; c != NULL && *c != 0; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

static struct llama_model *new_model(struct fluid_error *err) {
    struct llama_model *m = fluid_alloc(sizeof *m, 64);
    if (m == NULL)
        fluid_fail(err, "E-MEM-02",
                   "model: %zu bytes expected, at most %zu free (give the machine more memory)",
                   sizeof *m, fluid_memory_free());
    return m;
}

FLUID_EXPORT llama_close_fn llama_close;

void llama_close(struct llama_model *m) {
    memory_release(&m->memory, 0);
    fluid_free(m);
}

FLUID_EXPORT llama_open_fn llama_open;

struct llama_model *llama_open(void *gguf, uint64_t size, uint32_t max_ctx, struct llama_info *info,
                               struct fluid_error *err) {
    struct llama_model *m = new_model(err);
    if (m == NULL)
        return NULL;
    if (open_text(m, gguf, size, err) == 0 && open_tensors(m, max_ctx, err) == 0 &&
        fill_info(m, info, err) == 0)
        return m;
    clean_error(err);
    llama_close(m);
    return NULL;
}

FLUID_EXPORT llama_tokenize_fn llama_tokenize;

int64_t llama_tokenize(struct llama_model *m, const char *text, size_t length, bool special,
                       bool bos, int32_t *ids, size_t max_ids, struct fluid_error *err) {
    struct tokenize_how how = {.special = special, .bos = bos};
    struct id_sink sink = {ids, max_ids, 0};
    return tokenize(&m->tokenizer, (struct span){text, length}, &how, &sink, err);
}

FLUID_EXPORT llama_piece_fn llama_piece;

size_t llama_piece(struct llama_model *m, int32_t id, bool first, char *out, size_t size) {
    return token_piece(&m->vocab, id, first, out, size);
}

FLUID_EXPORT llama_is_eog_fn llama_is_eog;

bool llama_is_eog(struct llama_model *m, int32_t id) {
    return id >= 0 && (uint32_t)id < m->vocab.n && m->vocab.eog[id];
}

FLUID_EXPORT llama_rewind_fn llama_rewind;

void llama_rewind(struct llama_model *m, uint32_t keep) {
    if (keep >= m->pos)
        return;
    uint32_t gone = m->pos - keep;
    m->n_logits = m->n_logits > gone ? m->n_logits - gone : 0;
    m->pos = keep;
}

FLUID_EXPORT llama_position_fn llama_position;

uint32_t llama_position(struct llama_model *m) {
    return m->pos;
}

static int check_request(const struct llama_model *m, const int32_t *ids, uint32_t n,
                         uint32_t logits, struct fluid_error *err) {
    if (n < 1 || n > MODEL_BATCH)
        return fluid_fail(err, "E-ENG-02",
                          "evaluation: 1 to %d tokens expected, %u found (split it)", MODEL_BATCH,
                          n);
    if (logits < 1 || logits > ENGINE_LOGITS || logits > n)
        return fluid_fail(err, "E-ENG-03",
                          "evaluation: logits of 1 to %u positions expected, of %u found (ask for "
                          "fewer)",
                          n < ENGINE_LOGITS ? n : ENGINE_LOGITS, logits);
    if (n > m->cache.ctx - m->pos)
        return fluid_fail(
            err, "E-CTX-01",
            "context: room for %u more tokens expected, %u of %u in use (/clear starts "
            "a new conversation)",
            n, m->pos, m->cache.ctx);
    for (uint32_t i = 0; i < n; i++)
        if (ids[i] < 0 || (uint32_t)ids[i] >= m->vocab.n)
            return fluid_fail(err, "E-TOK-02",
                              "token id 0 to %u expected, %d found (use ids of "
                              "this model)",
                              m->vocab.n - 1, ids[i]);
    return 0;
}

FLUID_EXPORT llama_eval_fn llama_eval;

int llama_eval(struct llama_model *m, const int32_t *ids, uint32_t n, uint32_t logits,
               struct llama_prediction *predictions, const int32_t *next, struct fluid_error *err) {
    if (check_request(m, ids, n, logits, err) != 0)
        return -1;
    if (forward(m, ids, n, err) != 0)
        return -1;
    uint32_t from = predictions == NULL ? n - logits : 0, rows = 0;
    for (; from < n; from += rows) {
        /* The first group is the short one: the last holds all that are kept. */
        rows = (n - from - 1) % MODEL_LOGITS_ROWS + 1;
        m->n_logits = 0; /* their place is computed anew */
        if (compute_logits(m, from, rows, err) != 0)
            return -1;
        for (uint32_t r = 0; predictions != NULL && r < rows; r++) {
            if (fluid_poll()) /* the sum over a large vocabulary takes a while */
                return fluid_fail(err, "", "stopped");
            predict(m->buffers.logits + (size_t)r * m->vocab.n, m->vocab.n,
                    next == NULL ? VOCAB_NONE : next[from + r], &predictions[from + r]);
        }
    }
    m->n_logits = rows;
    m->pos += n;
    return 0;
}
