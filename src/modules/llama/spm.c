/* spm.c - SentencePiece BPE (tokenizer model "llama"): characters merged into the token with the
 * best score; what is no token falls back to its bytes. Follows llama.cpp's llm_tokenizer_spm. */
#include "tokenizer.h"
#include "unicode.h"

/* Order-preserving map of floats to integers, turned round: the best score has the smallest key. */
static uint32_t key_of_score(float score) {
    uint32_t bits;
    score += 0.0f; /* -0 equals 0 */
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? bits : ~bits & 0x7fffffffu;
}

static bool score_rank(const struct vocab *v, struct span left, struct span right, uint32_t *key) {
    struct span both = {left.at, left.n + right.n};
    int32_t id = both.n <= v->longest_token ? vocab_find(v, both) : VOCAB_NONE;
    if (id < 0)
        return false;
    *key = key_of_score(load_f32(v->scores + 4 * (size_t)id));
    return true;
}

static void put_symbol(const struct vocab *v, struct span text, struct id_sink *sink) {
    int32_t id = vocab_find(v, text);
    if (id >= 0) {
        sink_put(sink, id);
        return;
    }
    for (size_t i = 0; i < text.n; i++) {
        id = v->byte_token[(uint8_t)text.at[i]];
        if (id >= 0)
            sink_put(sink, id);
    }
}

static uint32_t put_space(char *to) {
    memcpy(to, SPACE_MARK, SPACE_MARK_SIZE);
    return SPACE_MARK_SIZE;
}

void spm_tokenize(struct tokenizer *t, struct span raw, bool prefix, struct id_sink *sink) {
    uint32_t n = prefix ? put_space(t->text) : 0, count = 0;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.at[i] == ' ')
            n += put_space(t->text + n);
        else
            t->text[n++] = raw.at[i];
    }
    for (uint32_t at = 0; at < n; count++) {
        /* A byte that is not valid UTF-8 is a symbol of its own: it must not swallow a space mark.
         */
        uint32_t length = unicode_decode(t->text + at, n - at).length;
        t->symbols[count] = (struct symbol){at, length, (int32_t)count - 1, (int32_t)count + 1};
        at += length;
    }
    if (count == 0)
        return;
    t->symbols[count - 1].next = -1;
    merge_symbols(t, count, score_rank);
    for (int32_t i = 0; i >= 0; i = t->symbols[i].next)
        put_symbol(t->vocab, (struct span){t->text + t->symbols[i].at, t->symbols[i].n}, sink);
}
