/* tokenizer.c - text to tokens, and the text of one token. */
#include "tokenizer.h"

#include "unicode.h"

int tokenizer_init(struct tokenizer *t, struct memory *memory, const struct vocab *vocab,
                   struct fluid_error *err) {
    const char *what = "tokenizer";
    const uint32_t n = TOKENIZER_MAX_TEXT;
    t->vocab = vocab;
    t->text = memory_take(memory, 3 * n + 3, sizeof *t->text, what, err);
    t->symbols = memory_take(memory, n + 1, sizeof *t->symbols, what, err);
    t->heap = memory_take(memory, 2 * (n + 1), sizeof *t->heap, what, err);
    t->special_at = memory_take(memory, n, sizeof *t->special_at, what, err);
    t->covered = memory_take(memory, n, sizeof *t->covered, what, err);
    t->render = memory_take(memory, n, sizeof *t->render, what, err);
    bool complete = t->text && t->symbols && t->heap && t->special_at && t->covered && t->render;
    return complete ? 0 : -1;
}

void sink_put(struct id_sink *sink, int32_t id) {
    if (sink->n < sink->max)
        sink->ids[sink->n] = id;
    sink->n++;
}

int64_t tokenize(struct tokenizer *t, struct span text, const struct tokenize_how *how,
                 struct id_sink *sink, struct fluid_error *err) {
    const struct vocab *v = t->vocab;
    if (text.n > TOKENIZER_MAX_TEXT)
        return fluid_fail(err, "E-TOK-01",
                          "at most %u bytes of text expected, %zu found (send it in "
                          "parts)",
                          TOKENIZER_MAX_TEXT, text.n);
    special_mark(t, text, how);
    if (how->bos && v->add_bos)
        sink_put(sink, v->bos);
    bool prefix = v->add_space_prefix; /* again after each special token */
    for (size_t from = 0, to; from < text.n; from = to) {
        if (t->special_at[from] != 0) {
            int32_t id = t->special_at[from] - 1;
            sink_put(sink, id);
            prefix = v->add_space_prefix;
            to = from + vocab_text(v, (uint32_t)id).n;
            continue;
        }
        for (to = from; to < text.n && t->special_at[to] == 0;)
            to++;
        struct span raw = {text.at + from, to - from};
        if (v->bpe)
            bpe_tokenize(t, raw, sink);
        else
            spm_tokenize(t, raw, prefix, sink);
        prefix = false;
    }
    return (int64_t)sink->n;
}

struct output {
    char *at;
    size_t n, size;
};

static void put_bytes(struct output *out, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++, out->n++)
        if (out->n < out->size)
            out->at[out->n] = bytes[i];
}

/* Byte-level BPE: each character stands for a byte; others, which no sound vocabulary has, go as
 * is. */
static void put_bpe_text(struct output *out, struct span text) {
    for (size_t i = 0; i < text.n;) {
        struct unicode_char c = unicode_decode(text.at + i, text.n - i);
        int decoded = bpe_decode_char(c.code);
        char byte = (char)decoded;
        if (decoded < 0)
            put_bytes(out, text.at + i, c.length);
        else
            put_bytes(out, &byte, 1);
        i += c.length;
    }
}

static void put_spm_text(struct output *out, struct span text) {
    for (size_t i = 0; i < text.n;) {
        bool is_mark = span_starts((struct span){text.at + i, text.n - i}, SPACE_MARK);
        put_bytes(out, is_mark ? " " : text.at + i, 1);
        i += is_mark ? SPACE_MARK_SIZE : 1;
    }
}

static unsigned hex_digit(char c) {
    return (unsigned)(c <= '9' ? c - '0' : (c & ~0x20) - 'A' + 10) & 15;
}

/* "<0x0A>" */
static void put_byte_token(struct output *out, struct span text) {
    if (text.n == 6 && span_starts(text, "<0x")) {
        char byte = (char)(hex_digit(text.at[3]) << 4 | hex_digit(text.at[4]));
        put_bytes(out, &byte, 1);
    }
}

size_t token_piece(const struct vocab *v, int32_t id, bool first, char *out, size_t size) {
    struct output o = {out, 0, size};
    if (id < 0 || (uint32_t)id >= v->n || v->eog[id])
        return 0;
    struct span text = vocab_text(v, (uint32_t)id);
    if (first && v->add_space_prefix && v->kind[id] == TOKEN_NORMAL &&
        span_starts(text, SPACE_MARK)) {
        text.at += SPACE_MARK_SIZE;
        text.n -= SPACE_MARK_SIZE;
    }
    switch (v->kind[id]) {
    case TOKEN_NORMAL:
        if (v->bpe)
            put_bpe_text(&o, text);
        else
            put_spm_text(&o, text);
        break;
    case TOKEN_USER_DEFINED:
        put_bytes(&o, text.at, text.n);
        break;
    case TOKEN_BYTE:
        put_byte_token(&o, text);
        break;
    default: /* control, unknown and unused tokens have no text */
        break;
    }
    return o.n;
}
