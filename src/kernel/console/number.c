/* number.c - numbers from the console, checked. */
#include "console/number.h"

#include "fluid/engine.h"

#define MICRO_DIGITS 6

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

_Static_assert(ENGINE_MICRO == 1000000, "number_micro reads MICRO_DIGITS behind the point");

bool number_micro(const char *text, size_t length, int64_t max_micro, int64_t *micro) {
    size_t point = 0;
    uint64_t whole, fraction = 0;

    while (point < length && text[point] != '.')
        point++;
    if (!number_u64(text, point, (uint64_t)max_micro / ENGINE_MICRO, &whole))
        return false;
    if (point < length) {
        size_t digits = length - point - 1;
        if (digits > MICRO_DIGITS ||
            !number_u64(text + point + 1, digits, ENGINE_MICRO - 1, &fraction))
            return false;
        for (; digits < MICRO_DIGITS; digits++)
            fraction *= 10;
    }
    if (whole * ENGINE_MICRO + fraction > (uint64_t)max_micro)
        return false;
    *micro = (int64_t)(whole * ENGINE_MICRO + fraction);
    return true;
}
