/* unicode.h - UTF-8 decoding and the character classes that pre-tokenizers ask about. */
#ifndef LLAMA_UNICODE_H
#define LLAMA_UNICODE_H

#include "bytes.h"

enum unicode_class {
    UNICODE_OTHER,  /* marks, punctuation, symbols, control, unassigned */
    UNICODE_LETTER, /* \p{L} */
    UNICODE_NUMBER, /* \p{N} */
    UNICODE_SPACE,  /* \s */
};

struct unicode_char {
    uint32_t code; /* UNICODE_INVALID: the byte is not part of valid UTF-8; length is 1 */
    uint32_t length;
};

#define UNICODE_INVALID 0xfffd

/* The character at text[0 .. n), n >= 1. */
struct unicode_char unicode_decode(const char *text, size_t n);

enum unicode_class unicode_class_of(uint32_t code);

/* Ranges of one class, sorted: first code and length; unicode_table.c. */
struct unicode_range {
    uint32_t first;
    uint16_t length;
    uint8_t class;
};
extern const struct unicode_range unicode_table[];
extern const uint32_t unicode_table_size;

#endif
