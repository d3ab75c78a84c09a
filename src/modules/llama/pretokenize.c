/* pretokenize.c - pre-tokenizers "gpt-2" and "smollm": text is cut by GPT-2's expression
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * with llama.cpp's reading of it (unicode_regex_split_custom_gpt2). For "smollm" every number
 * character is a word of its own before that. Invalid bytes count as symbols. */
#include "tokenizer.h"
#include "unicode.h"

enum { END = -1 }; /* no character: the text ends here, or a number does not belong to this part */

struct peeked {
    uint32_t code, length;
    int class; /* enum unicode_class, or END */
};

static struct peeked peek(enum pretokenizer pre, struct span text, size_t at) {
    if (at >= text.n)
        return (struct peeked){0, 0, END};
    struct unicode_char c = unicode_decode(text.at + at, text.n - at);
    int class = unicode_class_of(c.code);
    bool apart = pre == PRE_SMOLLM && class == UNICODE_NUMBER;
    return (struct peeked){c.code, c.length, apart ? END : class};
}

/* Length of 's 't 'm 'd 're 've 'll at the apostrophe text.at[at], or 0. */
static size_t contraction(struct span text, size_t at) {
    char a = at + 1 < text.n ? text.at[at + 1] : 0;
    char b = at + 2 < text.n ? text.at[at + 2] : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

static size_t skip_class(enum pretokenizer pre, struct span text, size_t at, int class) {
    for (struct peeked c = peek(pre, text, at); c.class == class; c = peek(pre, text, at))
        at += c.length;
    return at;
}

/* White space before a visible character leaves its last character to that one's word. */
static size_t white_space(enum pretokenizer pre, struct span text, size_t from) {
    size_t last = from, at = from;
    for (struct peeked c = peek(pre, text, at); c.class == UNICODE_SPACE; c = peek(pre, text, at)) {
        last = at;
        at += c.length;
    }
    return last > from && peek(pre, text, at).class != END ? last : at;
}

size_t pretokenize(enum pretokenizer pre, struct span text, size_t from) {
    if (pre == PRE_LLAMA3)
        return pretokenize_llama3(text, from);
    struct unicode_char first = unicode_decode(text.at + from, text.n - from);
    if (pre == PRE_SMOLLM && unicode_class_of(first.code) == UNICODE_NUMBER)
        return from + first.length;
    size_t n = first.code == '\'' ? contraction(text, from) : 0;
    if (n > 0)
        return from + n;
    size_t visible = from + (first.code == ' ');
    int class = peek(pre, text, visible).class;
    if (class != UNICODE_SPACE && class != END)
        return skip_class(pre, text, visible, class);
    return white_space(pre, text, from);
}
