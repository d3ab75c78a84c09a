/* utf8.c - UTF-8 validation, for text that is streamed in pieces. */
#include "console/utf8.h"

int utf8_sequence(const char *bytes, size_t n) {
    const uint8_t *s = (const uint8_t *)bytes;
    uint8_t first = s[0], low = 0x80, high = 0xbf; /* limits of the second byte */
    int length;

    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        length = 2;
    else if (first >= 0xe0 && first <= 0xef)
        length = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        length = 4;
    else
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    if (first == 0xed)
        high = 0x9f;
    if (first == 0xf0)
        low = 0x90;
    if (first == 0xf4)
        high = 0x8f;
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n)
            return -1;
        if (s[i] < low || s[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

uint32_t utf8_code_point(const char *bytes, int length) {
    static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (uint8_t)bytes[0] & first_bits[length];

    for (int i = 1; i < length; i++)
        point = point << 6 | ((uint8_t)bytes[i] & 0x3f);
    return point;
}

bool utf8_valid(const char *bytes, size_t n) {
    for (size_t i = 0; i < n;) {
        int length = utf8_sequence(bytes + i, n - i);
        if (length <= 0)
            return false;
        i += (size_t)length;
    }
    return true;
}
