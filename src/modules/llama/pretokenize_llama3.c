/* pretokenize_llama3.c - pre-tokenizer "llama-bpe": text is cut by Llama 3's expression
 *     '[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n]*|
 *     \s*[\r\n]+|\s+(?!\S)|\s+
 * whose alternatives are tried in this order. Invalid bytes count as symbols. */
#include "tokenizer.h"
#include "unicode.h"

#define NUMBERS_MAX 3

enum { END = -1 };

struct peeked {
    uint32_t code, length;
    int class; /* enum unicode_class, or END */
};

static struct peeked peek(struct span text, size_t at) {
    if (at >= text.n)
        return (struct peeked){0, 0, END};
    struct unicode_char c = unicode_decode(text.at + at, text.n - at);
    return (struct peeked){c.code, c.length, (int)unicode_class_of(c.code)};
}

static bool ends_line(struct peeked c) {
    return c.code == '\r' || c.code == '\n';
}

static char lower(struct span text, size_t at) {
    char c = at < text.n ? text.at[at] : 0;
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Length of the contraction at the apostrophe text.at[at], or 0. */
static size_t contraction(struct span text, size_t at) {
    char a = lower(text, at + 1), b = lower(text, at + 2);
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

static size_t skip_class(struct span text, size_t at, int class) {
    for (struct peeked c = peek(text, at); c.class == class; c = peek(text, at))
        at += c.length;
    return at;
}

static size_t numbers(struct span text, size_t at) {
    for (unsigned n = 0; n < NUMBERS_MAX && peek(text, at).class == UNICODE_NUMBER; n++)
        at += peek(text, at).length;
    return at;
}

static size_t symbols(struct span text, size_t at) {
    at = skip_class(text, at, UNICODE_OTHER);
    for (struct peeked c = peek(text, at); ends_line(c); c = peek(text, at))
        at += c.length;
    return at;
}

/* Up to the last end of a line in it; else all, but for the last character where something visible
 * follows. */
static size_t white_space(struct span text, size_t from) {
    size_t at = from, last = from, line = from;
    for (struct peeked c = peek(text, at); c.class == UNICODE_SPACE; c = peek(text, at)) {
        last = at;
        at += c.length;
        if (ends_line(c))
            line = at;
    }
    if (line > from)
        return line;
    return last > from && peek(text, at).class != END ? last : at;
}

size_t pretokenize_llama3(struct span text, size_t from) {
    struct peeked first = peek(text, from), second = peek(text, from + first.length);
    size_t n = first.code == '\'' ? contraction(text, from) : 0;
    if (n > 0)
        return from + n;
    if (first.class == UNICODE_LETTER)
        return skip_class(text, from, UNICODE_LETTER);
    if (first.class == UNICODE_NUMBER)
        return numbers(text, from);
    if (second.class == UNICODE_LETTER && !ends_line(first))
        return skip_class(text, from + first.length, UNICODE_LETTER);
    if (first.class == UNICODE_OTHER)
        return symbols(text, from);
    if (first.code == ' ' && second.class == UNICODE_OTHER)
        return symbols(text, from + first.length);
    return white_space(text, from);
}
