/* base64.h - RFC 4648 section 4, with padding. */
#ifndef KERNEL_CONSOLE_BASE64_H
#define KERNEL_CONSOLE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Encodes 1..3 bytes as 4 characters. */
void base64_encode3(const uint8_t *bytes, size_t n, char out[4]);
/* Decodes in place; returns the number of bytes, -1 when text is not valid base64. */
int64_t base64_decode(char *text, size_t n);
#endif
