/* pretokenize_llama3.c - pre-tokenizer "llama-bpe": text is cut by Llama 3's expression
 *     '[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|
 *     [^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * whose alternatives are tried in this order. */
#include "pretokenize.h"

#define NUMBERS_MAX 3

static bool ends_line(struct peeked c) {
    return c.code == '\r' || c.code == '\n';
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
    size_t n = first.code == '\'' ? contraction(text, from, true) : 0;
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
