/* editor_view.c - what a terminal of 80 columns shows of the line: VT100 and ANSI terminals on the
 * serial line, and the VGA screen, get the same bytes.
 *
 * Text that is appended is echoed byte for byte, and measured only when a cursor movement needs to
 * know where it ended: a paste costs the same for every byte. Any other change marks the display as
 * stale; it is drawn anew from there when no more input waits, by relative cursor movements, which
 * hold wherever on the screen the prompt stands. Of a line with many rows at most WINDOW_ROWS are
 * kept up to date, so that a movement never has to leave the screen. */
#include "console/console.h"
#include "console/editor.h"
#include "lib/printf.h"
#include "lib/string.h"

#define WINDOW_ROWS 20u /* less than any terminal has */
#define STEPS_MAX 4     /* so many columns to the left are single steps */

/* A position in the text and its place on the screen. */
struct spot {
    size_t offset;
    struct place at;
};

static const struct spot line_start = {0, {0, PROMPT_COLUMNS}};

void view_begin(struct editor *e) {
    e->at = line_start.at;
    e->measured = e->drawn = 0;
    e->stale = STALE_NONE;
    e->top = 0;
}

/* Columns that must be free for it; a tab takes what is there. */
static unsigned width_of(uint32_t point) {
    return point == '\t' ? 0 : code_point_width(point);
}

/* From spot on over whole characters that end at or before offset and are drawn above row. */
static struct spot walk(const struct editor *e, struct spot spot, size_t offset, unsigned row) {
    while (spot.offset < offset) {
        uint32_t point;
        size_t length = editor_character(e, spot.offset, &point);

        if (spot.offset + length > offset)
            break;
        if (place_to_draw(spot.at, width_of(point)).row >= row)
            break;
        spot.at = place_behind(spot.at, point);
        spot.offset += length;
    }
    return spot;
}

/* Where the cursor stands on the character at the spot, or behind the last one. */
static struct place drawn_at(const struct editor *e, struct spot spot) {
    uint32_t point = ' ';

    if (spot.offset < editor_length(e))
        editor_character(e, spot.offset, &point);
    return place_to_draw(spot.at, width_of(point) == 2 ? 2 : 1);
}

void view_settle(struct editor *e) {
    struct spot end = {e->measured, e->at};

    if (e->drawn > e->measured) {
        end = walk(e, end, e->drawn, UINT32_MAX);
        e->at = end.at;
        e->measured = e->drawn;
    }
    if (e->at.row >= e->top + WINDOW_ROWS)
        e->top = e->at.row - WINDOW_ROWS + 1;
}

static void sequence(const char *format, unsigned n) {
    char text[16];
    int length = ksnprintf(text, sizeof(text), format, n);

    console_control(text, (size_t)length);
}

/* Moves the terminal's cursor. Down is done by line feeds: the row may not be there yet. */
static void go(struct editor *e, struct place to) {
    struct place at = e->at;

    e->at = to;
    if (to.row == at.row && to.column == at.column)
        return;
    if (to.row == at.row && at.column < TERMINAL_COLUMNS && to.column < at.column &&
        at.column - to.column <= STEPS_MAX) {
        console_write("\b\b\b\b", at.column - to.column);
        return;
    }
    console_write("\r", 1); /* ends the state behind a full row as well */
    if (to.row < at.row)
        sequence("\x1b[%uA", at.row - to.row);
    for (unsigned row = at.row; row < to.row; row++)
        console_write("\n", 1);
    if (to.column > 0)
        sequence("\x1b[%uC", to.column);
}

static void write_range(const struct editor *e, size_t from, size_t to) {
    if (from < e->head)
        console_write(e->text + from, (to < e->head ? to : e->head) - from);
    if (to > e->head) {
        size_t start = from > e->head ? from : e->head;
        console_write(e->text + LINE_MAX - e->tail + (start - e->head), to - start);
    }
}

/* Draws from the spot to the end of the window; the cursor stands where the spot is drawn. */
static void draw(struct editor *e, struct spot from) {
    struct spot stop;

    console_control("\x1b[J", 3);
    stop = walk(e, from, editor_length(e), e->top + WINDOW_ROWS);
    write_range(e, from.offset, stop.offset);
    e->at = stop.offset > from.offset ? stop.at : e->at;
}

/* Draws the whole window; the cursor stands at its first row's first column. */
static void draw_window(struct editor *e) {
    struct spot from = line_start;

    if (e->top == 0) {
        console_write(PROMPT, PROMPT_COLUMNS);
        e->at = line_start.at;
    } else {
        from = walk(e, line_start, editor_length(e), e->top);
        e->at = (struct place){e->top, 0};
    }
    draw(e, from);
}

/* The window must hold this row; false when it did. */
static bool move_window(struct editor *e, unsigned row) {
    if (row < e->top)
        e->top = row;
    else if (row >= e->top + WINDOW_ROWS)
        e->top = row - WINDOW_ROWS + 1;
    else
        return false;
    return true;
}

/* Draws what is stale. */
static void draw_stale(struct editor *e) {
    /* Bytes in front of a change may have become part of a character with it. */
    size_t safe = e->stale > 3 ? e->stale - 3 : 0;
    struct spot from = walk(e, line_start, safe, UINT32_MAX);

    if (from.at.row < e->top)
        from = walk(e, line_start, editor_length(e), e->top);
    else if (from.at.column == TERMINAL_COLUMNS) /* what takes no column would still belong there */
        from = walk(e, line_start, safe, from.at.row);
    go(e, drawn_at(e, from));
    draw(e, from);
}

void view_refresh(struct editor *e) {
    unsigned top;
    struct place cursor;

    if (e->stale == STALE_NONE && e->drawn == e->head)
        return;
    view_settle(e);
    top = e->top;
    cursor = drawn_at(e, walk(e, line_start, e->head, UINT32_MAX));
    if (move_window(e, cursor.row)) {
        go(e, (struct place){top, 0});
        draw_window(e);
    } else if (e->stale != STALE_NONE) {
        draw_stale(e);
    }
    go(e, cursor);
    e->measured = e->drawn = e->head;
    e->stale = STALE_NONE;
}

/* The cursor was moved to the row below a full one. What takes no column, a tab or a mark, would
 * still belong to the full row, and must not be echoed there. */
static bool below_full_row(const struct editor *e) {
    return e->measured == e->drawn && e->at.column == 0 && e->at.row > 0;
}

void view_inserted(struct editor *e) {
    size_t last = e->head - 1, start = e->head - editor_length_before(e, e->head);
    uint8_t byte = (uint8_t)e->text[last];
    bool ordinary = byte >= 0x20 && byte < 0x80;

    if (e->tail > 0 || e->stale != STALE_NONE || e->drawn != last || start < e->measured ||
        (!ordinary && below_full_row(e))) {
        view_changed(e, start);
        return;
    }
    console_write(e->text + last, 1);
    e->drawn++;
}

void view_changed(struct editor *e, size_t offset) {
    view_settle(e);
    if (offset < e->stale)
        e->stale = offset;
}

bool view_erased_last(struct editor *e, char erased) {
    bool simple = (uint8_t)erased >= 0x20 && (uint8_t)erased < 0x7f && e->at.column > 0 &&
                  e->at.column < TERMINAL_COLUMNS;

    if (e->tail > 0 || e->stale != STALE_NONE || e->drawn != e->head + 1 || !simple)
        return false;
    console_write("\b \b", 3);
    e->at.column--;
    e->measured = e->drawn = e->head;
    return true;
}

void view_clear(struct editor *e) {
    view_refresh(e);
    view_settle(e);
    console_control("\x1b[H\x1b[2J", 7);
    e->at = (struct place){e->top, 0};
    draw_window(e);
    go(e, drawn_at(e, walk(e, line_start, e->head, UINT32_MAX)));
    e->measured = e->drawn = e->head;
}

void view_again(struct editor *e) {
    console_write(PROMPT, PROMPT_COLUMNS);
    view_begin(e);
    if (editor_length(e) > 0)
        e->stale = 0;
    view_refresh(e);
}

void view_finish(struct editor *e) {
    view_refresh(e);
    console_write("\n", 1);
}
