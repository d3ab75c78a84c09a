/* unicode.c - UTF-8 decoding and character classes. */
#include "unicode.h"

struct unicode_char unicode_decode(const char *text, size_t n) {
    uint8_t first = (uint8_t)text[0];
    uint32_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0x80)
        return (struct unicode_char){first, 1};
    if (first < 0xc0 || first >= 0xf8 || length > n)
        return (struct unicode_char){UNICODE_INVALID, 1};
    uint32_t code = first & (0x7fu >> length);
    for (uint32_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return (struct unicode_char){UNICODE_INVALID, 1};
        code = code << 6 | (text[i] & 0x3f);
    }
    return (struct unicode_char){code, length};
}

enum unicode_class unicode_class_of(uint32_t code) {
    uint32_t low = 0, high = unicode_table_size;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        const struct unicode_range *r = &unicode_table[mid];
        if (code < r->first)
            high = mid;
        else if (code - r->first >= r->length)
            low = mid + 1;
        else
            return (enum unicode_class)r->class;
    }
    return UNICODE_OTHER;
}
