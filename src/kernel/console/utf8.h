/* utf8.h - UTF-8 validation (Unicode 15, table 3-7: shortest form, no surrogates, at most
 * U+10FFFF). */
#ifndef KERNEL_CONSOLE_UTF8_H
#define KERNEL_CONSOLE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length 1..4 of the valid sequence at bytes, 0 when it is invalid, -1 when it is valid so far but
 * cut off by the end of the n bytes. n >= 1. */
int utf8_sequence(const char *bytes, size_t n);
/* The code point of a valid sequence of this length. */
uint32_t utf8_code_point(const char *bytes, int length);
bool utf8_valid(const char *bytes, size_t n);
#endif
