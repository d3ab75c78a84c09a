/* pretokenize.h - what the pre-tokenizers look at: one character with its class, runs of a class,
 * contractions. Invalid bytes count as symbols. */
#ifndef LLAMA_PRETOKENIZE_H
#define LLAMA_PRETOKENIZE_H

#include "tokenizer.h"
#include "unicode.h"

enum { END = -1 }; /* no character: the text ends here */

struct peeked {
    uint32_t code, length;
    int class; /* enum unicode_class, or END */
};

static inline struct peeked peek(struct span text, size_t at) {
    if (at >= text.n)
        return (struct peeked){0, 0, END};
    struct unicode_char c = unicode_decode(text.at + at, text.n - at);
    return (struct peeked){c.code, c.length, (int)unicode_class_of(c.code)};
}

static inline size_t skip_class(struct span text, size_t at, int class) {
    for (struct peeked c = peek(text, at); c.class == class; c = peek(text, at))
        at += c.length;
    return at;
}

/* Length of 's 't 'm 'd 're 've 'll at the apostrophe text.at[at], or 0. */
static inline size_t contraction(struct span text, size_t at, bool capitals_too) {
    char letters[2] = {0};
    for (size_t i = 0; i < sizeof letters && at + 1 + i < text.n; i++) {
        letters[i] = text.at[at + 1 + i];
        if (capitals_too && letters[i] >= 'A' && letters[i] <= 'Z')
            letters[i] |= 0x20;
    }
    char a = letters[0], b = letters[1];
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

#endif
