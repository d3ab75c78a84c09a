/* screen.c - a VT100's idea of a screen: a full row wraps before the next character, not behind the
 * last one. The rows are a ring, so that scrolling moves nothing. */
#include "dev/screen.h"

#include "console/utf8.h"
#include "dev/cp437.h"
#include "lib/string.h"

#define CELLS (SCREEN_ROWS * SCREEN_COLUMNS)
#define TEXT_CELLS (SCREEN_TEXT_ROWS * SCREEN_COLUMNS)
#define ESC 0x1b
#define PARAMETER_MAX 1000u

static uint16_t *line(struct screen *s, unsigned row) {
    return s->lines[(s->first + row) % SCREEN_LINES];
}

static void changed(struct screen *s, unsigned first, unsigned end) {
    if (s->changed_first >= s->changed_end) {
        s->changed_first = first;
        s->changed_end = end;
        return;
    }
    if (first < s->changed_first)
        s->changed_first = first;
    if (end > s->changed_end)
        s->changed_end = end;
}

static void erase(struct screen *s, unsigned row, unsigned column, unsigned end) {
    for (unsigned i = column; i < end; i++)
        line(s, row)[i] = (uint16_t)(s->attribute << 8 | ' ');
    changed(s, row * SCREEN_COLUMNS + column, row * SCREEN_COLUMNS + end);
}

/* To the start of the next row; the first row moves into the scroll-back when there is none. */
static void next_row(struct screen *s) {
    s->at.column = 0;
    if (++s->at.row < SCREEN_TEXT_ROWS)
        return;
    s->at.row = SCREEN_TEXT_ROWS - 1;
    s->first++;
    erase(s, s->at.row, 0, SCREEN_COLUMNS);
    changed(s, 0, TEXT_CELLS);
}

static void put_cell(struct screen *s, unsigned column, uint8_t glyph) {
    line(s, s->at.row)[column] = (uint16_t)(s->attribute << 8 | glyph);
    changed(s, s->at.row * SCREEN_COLUMNS + column, s->at.row * SCREEN_COLUMNS + column + 1);
}

static void put(struct screen *s, uint32_t point) {
    unsigned width = code_point_width(point);

    if (width == 0)
        return;
    if (place_to_draw(s->at, width).row != s->at.row)
        next_row(s);
    put_cell(s, s->at.column, cp437_glyph(point));
    if (width == 2)
        put_cell(s, s->at.column + 1, ' ');
    s->at.column += width;
}

/* A sequence broke off: each byte of it shows. */
static void put_held(struct screen *s) {
    for (unsigned i = 0; i < s->held_count; i++)
        put(s, '?');
    s->held_count = 0;
}

static unsigned parameter(const struct screen *s, unsigned index, unsigned missing) {
    return index < s->parameter_count && s->parameters[index] > 0 ? s->parameters[index] : missing;
}

static unsigned at_most(unsigned value, unsigned limit) {
    return value < limit ? value : limit;
}

/* 0: from the cursor to the end, 1: from the start to the cursor, 2: all. */
static void erase_in_row(struct screen *s, unsigned which) {
    unsigned column = at_most(s->at.column, SCREEN_COLUMNS - 1);

    if (which <= 2)
        erase(s, s->at.row, which == 0 ? column : 0, which == 1 ? column + 1 : SCREEN_COLUMNS);
}

static void erase_in_screen(struct screen *s, unsigned which) {
    if (which > 2)
        return;
    for (unsigned row = 0; row < SCREEN_TEXT_ROWS; row++)
        if (which == 2 || (which == 0 ? row > s->at.row : row < s->at.row))
            erase(s, row, 0, SCREEN_COLUMNS);
    erase_in_row(s, which);
}

static void control_sequence(struct screen *s, char final) {
    unsigned n = parameter(s, 0, 1);
    struct place *at = &s->at;

    switch (final) {
    case 'A':
        at->row -= at_most(n, at->row);
        break;
    case 'B':
        at->row = at_most(at->row + n, SCREEN_TEXT_ROWS - 1);
        break;
    case 'C':
        at->column = at_most(at->column + n, SCREEN_COLUMNS - 1);
        break;
    case 'D':
        at->column = at_most(at->column, SCREEN_COLUMNS - 1);
        at->column -= at_most(n, at->column);
        break;
    case 'H':
        at->row = at_most(n - 1, SCREEN_TEXT_ROWS - 1);
        at->column = at_most(parameter(s, 1, 1) - 1, SCREEN_COLUMNS - 1);
        break;
    case 'J':
        erase_in_screen(s, parameter(s, 0, 0));
        break;
    case 'K':
        erase_in_row(s, parameter(s, 0, 0));
        break;
    default:
        break;
    }
}

static void feed_sequence(struct screen *s, char c) {
    if (s->state == SCREEN_ESCAPE) {
        s->state = c == '[' ? SCREEN_CSI : SCREEN_TEXT;
        s->parameter_count = 0;
        return;
    }
    if (c >= '0' && c <= '9') {
        if (s->parameter_count == 0)
            s->parameters[s->parameter_count++] = 0;
        unsigned *last = &s->parameters[s->parameter_count - 1];
        *last = at_most(*last * 10 + (unsigned)(c - '0'), PARAMETER_MAX);
    } else if (c == ';') {
        if (s->parameter_count == 0)
            s->parameters[s->parameter_count++] = 0;
        if (s->parameter_count < SCREEN_PARAMETERS_MAX)
            s->parameters[s->parameter_count++] = 0;
    } else {
        s->state = SCREEN_TEXT;
        control_sequence(s, c);
    }
}

static void control(struct screen *s, uint8_t byte) {
    switch (byte) {
    case '\n':
        next_row(s);
        break;
    case '\r':
        s->at.column = 0;
        break;
    case '\b':
        s->at.column = at_most(s->at.column, SCREEN_COLUMNS - 1);
        s->at.column -= s->at.column > 0;
        break;
    case '\t':
        s->at = place_behind(s->at, '\t');
        break;
    case ESC:
        s->state = SCREEN_ESCAPE;
        break;
    default:
        break;
    }
}

static void feed(struct screen *s, char c) {
    int length;

    if ((uint8_t)c < 0x20 || c == 0x7f) {
        put_held(s);
        s->state = SCREEN_TEXT;
        control(s, (uint8_t)c);
        return;
    }
    if (s->state != SCREEN_TEXT) {
        feed_sequence(s, c);
        return;
    }
    s->held[s->held_count++] = c;
    length = utf8_sequence(s->held, s->held_count);
    if (length > 0) {
        put(s, utf8_code_point(s->held, length));
        s->held_count = 0;
    } else if (length == 0) {
        bool alone = --s->held_count == 0;

        put_held(s);
        if (alone)
            put(s, '?');
        else
            feed(s, c);
    }
}

void screen_init(struct screen *s, uint8_t attribute) {
    memset(s, 0, sizeof(*s));
    s->attribute = attribute;
    for (unsigned row = 0; row < SCREEN_TEXT_ROWS; row++)
        erase(s, row, 0, SCREEN_COLUMNS);
    screen_set_status(s, "", 0, attribute);
}

void screen_write(struct screen *s, const char *bytes, size_t n) {
    screen_scroll(s, -(int)SCREEN_LINES);
    for (size_t i = 0; i < n; i++)
        feed(s, bytes[i]);
}

void screen_set_attribute(struct screen *s, uint8_t attribute) {
    s->attribute = attribute;
}

void screen_set_status(struct screen *s, const char *text, size_t n, uint8_t attribute) {
    unsigned column = 0;

    for (size_t i = 0; i < n && column < SCREEN_COLUMNS;) {
        int length = utf8_sequence(text + i, n - i);
        uint32_t point = length > 0 ? utf8_code_point(text + i, length) : '?';

        s->status[column++] = (uint16_t)(attribute << 8 | cp437_glyph(point));
        i += length > 0 ? (size_t)length : 1;
    }
    while (column < SCREEN_COLUMNS)
        s->status[column++] = (uint16_t)(attribute << 8 | ' ');
    changed(s, TEXT_CELLS, CELLS);
}

void screen_scroll(struct screen *s, int rows) {
    uint32_t kept =
        s->first < SCREEN_LINES - SCREEN_TEXT_ROWS ? s->first : SCREEN_LINES - SCREEN_TEXT_ROWS;
    uint32_t before = s->back;
    int64_t wanted = (int64_t)s->back + rows;

    s->back = wanted < 0 ? 0 : wanted > kept ? kept : (uint32_t)wanted;
    if (s->back != before)
        changed(s, 0, TEXT_CELLS);
}

uint16_t screen_cell(const struct screen *s, unsigned at) {
    if (at >= TEXT_CELLS)
        return s->status[at - TEXT_CELLS];
    return s->lines[(s->first - s->back + at / SCREEN_COLUMNS) % SCREEN_LINES][at % SCREEN_COLUMNS];
}

bool screen_cursor(const struct screen *s, unsigned *at) {
    unsigned row = s->at.row + s->back;

    *at = row * SCREEN_COLUMNS + at_most(s->at.column, SCREEN_COLUMNS - 1);
    return row < SCREEN_TEXT_ROWS;
}
