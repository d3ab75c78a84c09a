/* pretokenize.c - pre-tokenizers "gpt-2" and "smollm": text is cut by GPT-2's expression
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * with llama.cpp's reading of it (unicode_regex_split_custom_gpt2). For "smollm" every number
 * character is a word of its own before that. */
#include "pretokenize.h"

/* For "smollm" the part before a number ends there. */
static int class_at(enum pretokenizer pre, struct span text, size_t at) {
    int class = peek(text, at).class;
    return pre == PRE_SMOLLM && class == UNICODE_NUMBER ? END : class;
}

/* White space before a visible character leaves its last character to that one's word. */
static size_t white_space(enum pretokenizer pre, struct span text, size_t from) {
    size_t last = from, at = from;
    for (struct peeked c = peek(text, at); c.class == UNICODE_SPACE; c = peek(text, at)) {
        last = at;
        at += c.length;
    }
    return last > from && class_at(pre, text, at) != END ? last : at;
}

size_t pretokenize(enum pretokenizer pre, struct span text, size_t from) {
    if (pre == PRE_LLAMA3)
        return pretokenize_llama3(text, from);
    struct unicode_char first = unicode_decode(text.at + from, text.n - from);
    if (pre == PRE_SMOLLM && unicode_class_of(first.code) == UNICODE_NUMBER)
        return from + first.length;
    size_t n = first.code == '\'' ? contraction(text, from, false) : 0;
    if (n > 0)
        return from + n;
    size_t visible = from + (first.code == ' ');
    int class = class_at(pre, text, visible);
    if (class != UNICODE_SPACE && class != END)
        return skip_class(text, visible, class);
    return white_space(pre, text, from);
}
