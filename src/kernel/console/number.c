/* number.c - numbers from the console, checked. */
#include "console/number.h"

bool number_u64(const char *text, size_t length, uint64_t max, uint64_t *value) {
    uint64_t n = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (unsigned)(text[i] - '0'), &n))
            return false;
    }
    if (n > max)
        return false;
    *value = n;
    return true;
}

bool number_micro(const char *text, size_t length, int64_t max_micro, int64_t *micro) {
    size_t point = 0;
    uint64_t whole, fraction = 0;

    while (point < length && text[point] != '.')
        point++;
    if (!number_u64(text, point, (uint64_t)max_micro / 1000000, &whole))
        return false;
    if (point < length) {
        size_t digits = length - point - 1;
        if (digits > 6 || !number_u64(text + point + 1, digits, 999999, &fraction))
            return false;
        for (; digits < 6; digits++)
            fraction *= 10;
    }
    if (whole * 1000000 + fraction > (uint64_t)max_micro)
        return false;
    *micro = (int64_t)(whole * 1000000 + fraction);
    return true;
}
