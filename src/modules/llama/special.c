/* special.c - finds special tokens such as <|im_start|> in a text: the longest ones first, each
 * from left to right, none inside another (llama.cpp, tokenizer_st_partition). */
#include "tokenizer.h"

static bool is_wanted(const struct vocab *v, int32_t id, const struct tokenize_how *how) {
    return how->special || v->kind[id] == TOKEN_USER_DEFINED;
}

static bool overlaps(size_t from, size_t to, const struct tokenize_how *how) {
    return from < how->literal_to && how->literal_from < to;
}

static void mark_one(struct tokenizer *t, struct span text, int32_t id,
                     const struct tokenize_how *how) {
    struct span token = vocab_text(t->vocab, (uint32_t)id);
    bool anywhere = t->vocab->kind[id] == TOKEN_USER_DEFINED;
    for (size_t at = 0; token.n <= text.n && at <= text.n - token.n;) {
        size_t end = at + token.n;
        /* Tokens marked before are not shorter, so looking at both ends finds every overlap. */
        if (text.at[at] != token.at[0] || t->covered[at] || t->covered[end - 1] ||
            (!anywhere && overlaps(at, end, how)) || memcmp(text.at + at, token.at, token.n) != 0) {
            at++;
            continue;
        }
        memset(t->covered + at, 1, token.n);
        t->special_at[at] = id + 1;
        at = end;
    }
}

void special_mark(struct tokenizer *t, struct span text, const struct tokenize_how *how) {
    bool occurs[256] = {false};
    memset(t->special_at, 0, text.n * sizeof *t->special_at);
    memset(t->covered, 0, text.n);
    for (size_t i = 0; i < text.n; i++)
        occurs[(uint8_t)text.at[i]] = true;
    for (uint32_t i = 0; i < t->vocab->n_special; i++) {
        int32_t id = t->vocab->special[i];
        if (is_wanted(t->vocab, id, how) &&
            occurs[(uint8_t)vocab_text(t->vocab, (uint32_t)id).at[0]])
            mark_one(t, text, id, how);
    }
}
