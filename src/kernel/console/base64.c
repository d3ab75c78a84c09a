/* base64.c - RFC 4648 section 4. */
#include "console/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode3(const uint8_t *bytes, size_t n, char out[4]) {
    uint32_t group = (uint32_t)bytes[0] << 16;

    if (n > 1)
        group |= (uint32_t)bytes[1] << 8;
    if (n > 2)
        group |= bytes[2];
    out[0] = alphabet[group >> 18 & 63];
    out[1] = alphabet[group >> 12 & 63];
    out[2] = n > 1 ? alphabet[group >> 6 & 63] : '=';
    out[3] = n > 2 ? alphabet[group & 63] : '=';
}

static int digit_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

int64_t base64_decode(char *text, size_t n) {
    size_t out = 0, padding = 0;

    if (n % 4 != 0)
        return -1;
    if (n > 0 && text[n - 1] == '=')
        padding = text[n - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = i + k >= n - padding ? 0 : digit_value(text[i + k]);
            if (value < 0)
                return -1;
            group = group << 6 | (uint32_t)value;
        }
        text[out++] = (char)(group >> 16);
        text[out++] = (char)(group >> 8);
        text[out++] = (char)group;
    }
    return (int64_t)(out - padding);
}
