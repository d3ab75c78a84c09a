/* vocab.c - reads the tokenizer.ggml.* keys and builds the tables to search them. */
#include "vocab.h"

#include "config.h"

#define KEY(name) "tokenizer.ggml." name
#define MAX_MERGES (1u << 22)

/* Names of tokens that end a reply although the file may name only one of them as EOS. */
static const char *const eog_names[] = {
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|end|>", "<end_of_turn>",
};

static struct span texts_at(const struct texts *t, uint32_t i) {
    const uint8_t *p = t->base + t->offset[i];
    return (struct span){(const char *)p + 8, (size_t)load_u64(p)};
}

static int texts_index(struct texts *t, struct memory *memory, const struct gguf_value *v,
                       struct fluid_error *err) {
    if (v->bytes > UINT32_MAX)
        return fluid_fail(err, "E-GGUF-20",
                          "key %.*s: at most 4 GiB expected, %llu bytes found (file "
                          "damaged? re-copy MODEL.GGUF)",
                          SPAN_ARG(v->key), (unsigned long long)v->bytes);
    t->base = v->at;
    t->n = (uint32_t)v->count;
    t->offset = memory_take(memory, t->n, sizeof *t->offset, "vocabulary", err);
    uint32_t at = 0;
    for (uint32_t i = 0; t->offset != NULL && i < t->n; i++) {
        t->offset[i] = at;
        at += 8 + (uint32_t)load_u64(t->base + at);
    }
    return t->offset == NULL ? -1 : 0;
}

struct span vocab_text(const struct vocab *v, uint32_t id) {
    return texts_at(&v->tokens, id);
}

static struct span token_text(const void *owner, uint32_t i) {
    return vocab_text(owner, i);
}

static struct span merge_text(const void *owner, uint32_t i) {
    return texts_at(&((const struct vocab *)owner)->merges, i);
}

int32_t vocab_find(const struct vocab *v, struct span text) {
    uint32_t id = strtab_find(&v->by_text, &text, 1);
    return id == STRTAB_NONE ? VOCAB_NONE : (int32_t)id;
}

/* Names as llama.cpp's converter writes them; those of one line cut alike. */
static const struct {
    const char *name;
    enum pretokenizer pre;
} pretokenizers[] = {
    {"smollm", PRE_SMOLLM},    {"gpt-2", PRE_GPT2},      {"gpt2", PRE_GPT2},
    {"llama-bpe", PRE_LLAMA3}, {"llama-v3", PRE_LLAMA3}, {"llama3", PRE_LLAMA3},
};

static int read_pretokenizer(struct vocab *v, struct span pre, struct fluid_error *err) {
    for (size_t i = 0; i < sizeof pretokenizers / sizeof *pretokenizers; i++)
        if (pre.at != NULL && span_is(pre, pretokenizers[i].name)) {
            v->pre = pretokenizers[i].pre;
            return 0;
        }
    return fluid_fail(err, "E-GGUF-19",
                      "key " KEY("pre") ": smollm, gpt-2 or llama-bpe expected, %.*s found (this "
                                        "kind of model is not supported)",
                      pre.at == NULL ? 4 : SPAN_ARG(pre));
}

static int read_model(struct vocab *v, const struct gguf *g, struct fluid_error *err) {
    struct span model, pre;
    if (gguf_string(g, KEY("model"), &model, err) != 0 ||
        gguf_string(g, KEY("pre"), &pre, err) != 0)
        return -1;
    if (model.at == NULL || (!span_is(model, "gpt2") && !span_is(model, "llama")))
        return fluid_fail(err, "E-GGUF-19",
                          "key " KEY("model") ": gpt2 or llama expected, %.*s found (this kind of "
                                              "model is not supported)",
                          model.at == NULL ? 4 : SPAN_ARG(model));
    v->bpe = span_is(model, "gpt2");
    return v->bpe ? read_pretokenizer(v, pre, err) : 0;
}

static int read_tokens(struct vocab *v, struct memory *memory, const struct gguf *g,
                       struct fluid_error *err) {
    uint32_t declared;
    const struct gguf_value *a =
        gguf_array(g, KEY("tokens"), GGUF_STRING, 0, CONFIG_MAX_VOCAB, err);
    if (a == NULL)
        return -1;
    if (a->count == 0)
        return fluid_fail(err, "E-GGUF-20",
                          "key " KEY("tokens") ": at least 1 token expected, 0 "
                                               "found (file damaged? re-copy MODEL.GGUF)");
    v->n = (uint32_t)a->count;
    if (gguf_u32(g, "llama.vocab_size", v->n, v->n, v->n, &declared, err) != 0 ||
        texts_index(&v->tokens, memory, a, err) != 0 ||
        strtab_init(&v->by_text, memory, v->n, v, token_text, err) != 0)
        return -1;
    for (uint32_t i = 0; i < v->n; i++) {
        size_t n = vocab_text(v, i).n;
        /* Of equal tokens the last counts, as in llama.cpp. */
        if (strtab_replace(&v->by_text, i, err) != 0)
            return -1;
        if (n > v->longest_token)
            v->longest_token = (uint32_t)n;
    }
    return 0;
}

static int read_kinds(struct vocab *v, struct memory *memory, const struct gguf *g,
                      struct fluid_error *err) {
    v->kind = memory_take(memory, v->n, sizeof *v->kind, "token types", err);
    v->eog = memory_take(memory, v->n, sizeof *v->eog, "token types", err);
    if (v->kind == NULL || v->eog == NULL)
        return -1;
    memset(v->kind, TOKEN_NORMAL, v->n);
    if (gguf_find(g, KEY("token_type")) == NULL)
        return 0;
    const struct gguf_value *a = gguf_array(g, KEY("token_type"), GGUF_I32, v->n, v->n, err);
    if (a == NULL)
        return -1;
    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t kind = load_u32(a->at + 4 * (size_t)i);
        if (kind >= TOKEN_KINDS)
            return fluid_fail(err, "E-GGUF-20",
                              "key " KEY("token_type") "[%u]: 0 to %d expected, %u found (file "
                                                       "damaged? re-copy MODEL.GGUF)",
                              i, TOKEN_KINDS - 1, kind);
        v->kind[i] = (uint8_t)kind;
    }
    return 0;
}

static int read_scores(struct vocab *v, const struct gguf *g, struct fluid_error *err) {
    const struct gguf_value *a = gguf_array(g, KEY("scores"), GGUF_F32, v->n, v->n, err);
    if (a == NULL)
        return -1;
    v->scores = a->at;
    for (uint32_t i = 0; i < v->n; i++) {
        float score = load_f32(v->scores + 4 * (size_t)i);
        if (score != score)
            return fluid_fail(err, "E-GGUF-20",
                              "key " KEY("scores") "[%u]: a number expected, NaN found (file "
                                                   "damaged? re-copy MODEL.GGUF)",
                              i);
    }
    return 0;
}

static int read_merges(struct vocab *v, struct memory *memory, const struct gguf *g,
                       struct fluid_error *err) {
    const struct gguf_value *a = gguf_array(g, KEY("merges"), GGUF_STRING, 0, MAX_MERGES, err);
    if (a == NULL || texts_index(&v->merges, memory, a, err) != 0 ||
        strtab_init(&v->by_merge, memory, v->merges.n, v, merge_text, err) != 0)
        return -1;
    for (uint32_t i = 0, same; i < v->merges.n; i++) {
        struct span text = texts_at(&v->merges, i);
        if (text.n < 3 || !span_contains((struct span){text.at + 1, text.n - 2}, " "))
            return fluid_fail(err, "E-GGUF-20",
                              "key " KEY("merges") "[%u]: two texts with a space between expected, "
                                                   "%.*s found (file damaged? re-copy MODEL.GGUF)",
                              i, SPAN_ARG(text));
        /* Of equal merges the first counts, as in llama.cpp. */
        if (strtab_put(&v->by_merge, i, &same, err) != 0)
            return -1;
        if (text.n > v->longest_merge)
            v->longest_merge = (uint32_t)text.n;
    }
    return 0;
}

/* An id outside the vocabulary (4294967295 in some files) means that there is no such token. */
static int read_id(const struct vocab *v, const struct gguf *g, const char *key, int32_t fallback,
                   int32_t *out, struct fluid_error *err) {
    uint32_t id;
    if (gguf_u32(g, key, 0, UINT32_MAX, fallback < 0 ? UINT32_MAX : fallback, &id, err) != 0)
        return -1;
    *out = id < v->n ? (int32_t)id : VOCAB_NONE;
    return 0;
}

static int read_special_ids(struct vocab *v, const struct gguf *g, struct fluid_error *err) {
    int32_t eot, eom;
    int32_t first = v->bpe ? VOCAB_NONE : 0; /* SentencePiece: <unk> <s> </s> come first */
    if (read_id(v, g, KEY("unknown_token_id"), first, &v->unk, err) != 0 ||
        read_id(v, g, KEY("bos_token_id"), first < 0 ? first : 1, &v->bos, err) != 0 ||
        read_id(v, g, KEY("eos_token_id"), first < 0 ? first : 2, &v->eos, err) != 0 ||
        read_id(v, g, KEY("eot_token_id"), VOCAB_NONE, &eot, err) != 0 ||
        read_id(v, g, KEY("eom_token_id"), VOCAB_NONE, &eom, err) != 0 ||
        gguf_bool(g, KEY("add_bos_token"), !v->bpe || v->pre == PRE_LLAMA3, &v->add_bos, err) !=
            0 ||
        gguf_bool(g, KEY("add_space_prefix"), !v->bpe, &v->add_space_prefix, err) != 0)
        return -1;
    v->add_bos = v->add_bos && v->bos >= 0;
    v->add_space_prefix = v->add_space_prefix && !v->bpe;
    const int32_t ends[] = {v->eos, eot, eom};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i] >= 0)
            v->eog[ends[i]] = true;
    for (size_t i = 0; i < sizeof eog_names / sizeof *eog_names; i++) {
        int32_t id = vocab_find(v, span_of(eog_names[i]));
        if (id >= 0 && v->kind[id] == TOKEN_CONTROL)
            v->eog[id] = true;
    }
    return 0;
}

/* Control, unknown and user-defined tokens, longest text first: the order in which special.c looks
 * for them. */
static int collect_special(struct vocab *v, struct memory *memory, struct fluid_error *err) {
    v->special = memory_take(memory, VOCAB_MAX_SPECIAL, sizeof *v->special, "special tokens", err);
    if (v->special == NULL)
        return -1;
    for (uint32_t id = 0; id < v->n; id++) {
        uint32_t at = v->n_special;
        size_t n = vocab_text(v, id).n;
        if (n == 0 || (v->kind[id] != TOKEN_CONTROL && v->kind[id] != TOKEN_UNKNOWN &&
                       v->kind[id] != TOKEN_USER_DEFINED))
            continue;
        if (at == VOCAB_MAX_SPECIAL)
            return fluid_fail(err, "E-GGUF-20",
                              "key " KEY("token_type") ": at most %d special tokens expected, more "
                                                       "found (this model is not supported)",
                              VOCAB_MAX_SPECIAL);
        for (; at > 0 && vocab_text(v, (uint32_t)v->special[at - 1]).n < n; at--)
            v->special[at] = v->special[at - 1];
        v->special[at] = (int32_t)id;
        v->n_special++;
    }
    return 0;
}

static void collect_bytes(struct vocab *v) {
    static const char hex[] = "0123456789ABCDEF";
    for (unsigned byte = 0; byte < 256; byte++) {
        char name[] = {'<', '0', 'x', hex[byte >> 4], hex[byte & 15], '>'};
        char raw = (char)byte;
        int32_t id = vocab_find(v, (struct span){name, sizeof name});
        if (id < 0)
            id = vocab_find(v, (struct span){&raw, 1});
        v->byte_token[byte] = id < 0 ? v->unk : id;
    }
}

int vocab_read(struct vocab *v, struct memory *memory, const struct gguf *g,
               struct fluid_error *err) {
    if (read_model(v, g, err) != 0 || read_tokens(v, memory, g, err) != 0 ||
        read_kinds(v, memory, g, err) != 0 ||
        (v->bpe ? read_merges(v, memory, g, err) : read_scores(v, g, err)) != 0 ||
        read_special_ids(v, g, err) != 0 || collect_special(v, memory, err) != 0)
        return -1;
    collect_bytes(v);
    return 0;
}
