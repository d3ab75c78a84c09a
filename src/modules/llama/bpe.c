/* bpe.c - byte-level BPE (tokenizer model "gpt2"): bytes as printable characters, merged in the
 * order of the merge list. A symbol that is no token at the end is dropped, as llama.cpp does;
 * SmolLM2's vocabulary lacks 21 bytes. */
#include "tokenizer.h"
#include "unicode.h"

static bool is_visible(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
}

uint32_t bpe_encode_byte(uint8_t byte, char out[2]) {
    /* Hidden bytes 0..0x20, 0x7f..0xa0 and 0xad are numbered from U+0100 on. */
    uint32_t code = byte;
    if (!is_visible(byte))
        code = 0x100 + (byte <= 0x20 ? byte : byte == 0xad ? 0x43 : byte - 0x7fu + 0x21);
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    out[0] = (char)(0xc0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3f));
    return 2;
}

int bpe_decode_char(uint32_t code) {
    if (code < 0x100)
        return is_visible(code) ? (int)code : -1;
    code -= 0x100;
    if (code <= 0x20)
        return (int)code;
    if (code == 0x43)
        return 0xad;
    return code < 0x43 ? (int)(code - 0x21 + 0x7f) : -1;
}

static bool merge_rank(const struct vocab *v, struct span left, struct span right, uint32_t *key) {
    if (left.n + right.n + 1 > v->longest_merge)
        return false;
    const struct span parts[] = {left, {" ", 1}, right};
    *key = strtab_find(&v->by_merge, parts, 3);
    return *key != STRTAB_NONE;
}

/* Ids of one symbol: its token, or those of its bytes that are tokens on their own. */
static void put_symbol(const struct vocab *v, struct span text, struct id_sink *sink) {
    int32_t id = vocab_find(v, text);
    if (id >= 0) {
        sink_put(sink, id);
        return;
    }
    for (size_t i = 0; i < text.n; i++) {
        id = vocab_find(v, (struct span){text.at + i, 1});
        if (id >= 0)
            sink_put(sink, id);
    }
}

/* Llama 3: a word that is a token is one, whatever the merges would make of it. */
static bool put_whole_word(const struct tokenizer *t, uint32_t size, struct id_sink *sink) {
    int32_t id = t->vocab->pre == PRE_LLAMA3 ? vocab_find(t->vocab, (struct span){t->text, size})
                                             : VOCAB_NONE;
    if (id >= 0)
        sink_put(sink, id);
    return id >= 0;
}

static void tokenize_word(struct tokenizer *t, struct span word, struct id_sink *sink) {
    uint32_t at = 0;
    for (size_t i = 0; i < word.n;) {
        /* One symbol per byte: a byte's stand-in is one character. */
        uint32_t n = bpe_encode_byte((uint8_t)word.at[i], t->text + at);
        t->symbols[i] = (struct symbol){at, n, (int32_t)i - 1, (int32_t)i + 1};
        at += n;
        i++;
    }
    if (put_whole_word(t, at, sink))
        return;
    t->symbols[word.n - 1].next = -1;
    merge_symbols(t, (uint32_t)word.n, merge_rank);
    for (int32_t i = 0; i >= 0; i = t->symbols[i].next)
        put_symbol(t->vocab, (struct span){t->text + t->symbols[i].at, t->symbols[i].n}, sink);
}

void bpe_tokenize(struct tokenizer *t, struct span raw, struct id_sink *sink) {
    for (size_t from = 0, to; from < raw.n; from = to) {
        to = pretokenize(t->vocab->pre, raw, from);
        tokenize_word(t, (struct span){raw.at + from, to - from}, sink);
    }
}
