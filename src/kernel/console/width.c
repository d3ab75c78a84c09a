/* width.c - column widths after Unicode's EastAsianWidth.txt (W and F) and the combining blocks, as
 * ranges that hold for what terminals agree on. */
#include "console/width.h"

#include <stdbool.h>
#include <stddef.h>

struct range {
    uint32_t first, last;
};

static const struct range zero[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
    {0x064b, 0x065f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd},
};

static bool contains(const struct range *ranges, size_t count, uint32_t code_point) {
    for (size_t i = 0; i < count; i++)
        if (code_point >= ranges[i].first && code_point <= ranges[i].last)
            return true;
    return false;
}

unsigned code_point_width(uint32_t code_point) {
    if (code_point < zero[0].first)
        return 1;
    if (contains(zero, sizeof(zero) / sizeof(zero[0]), code_point))
        return 0;
    return contains(wide, sizeof(wide) / sizeof(wide[0]), code_point) ? 2 : 1;
}

struct place place_to_draw(struct place at, unsigned width) {
    if (at.column + width > TERMINAL_COLUMNS)
        return (struct place){at.row + 1, 0};
    return at;
}

struct place place_behind(struct place at, uint32_t code_point) {
    unsigned width;

    if (code_point == '\t') {
        unsigned stop = (at.column / TAB_COLUMNS + 1) * TAB_COLUMNS;
        if (at.column < TERMINAL_COLUMNS) /* a tab never wraps */
            at.column = stop < TERMINAL_COLUMNS ? stop : TERMINAL_COLUMNS - 1;
        return at;
    }
    width = code_point_width(code_point);
    at = place_to_draw(at, width);
    at.column += width;
    return at;
}
