/* editor.h - one line being edited: a gap buffer with the cursor at the gap, and what the terminal
 * shows of it. Knows nothing of where keys come from or where lines go. */
#ifndef KERNEL_CONSOLE_EDITOR_H
#define KERNEL_CONSOLE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/line.h"
#include "console/width.h"

#define PROMPT "> "
#define PROMPT_COLUMNS 2u

struct editor {
    char *text;        /* LINE_MAX bytes: the head at the front, the tail at the back */
    size_t head, tail; /* bytes in front of the cursor and behind it */
    bool too_long;     /* bytes were dropped: the line is not what was typed */

    /* The display, editor_view.c. Rows count from the prompt's. */
    struct place at; /* of the terminal's cursor, as far as it was measured */
    size_t measured; /* bytes of text in front of at; those up to drawn were echoed behind it */
    size_t drawn;    /* bytes of text in front of the terminal's cursor */
    size_t stale;    /* what is shown from this byte on is out of date; STALE_NONE: all is right */
    unsigned top;    /* first row that is kept up to date */
};

void editor_begin(struct editor *e, char *text); /* an empty line behind a prompt just written */
void editor_insert(struct editor *e, uint8_t byte);
void editor_left(struct editor *e);
void editor_right(struct editor *e);
void editor_word_left(struct editor *e);
void editor_word_right(struct editor *e);
void editor_home(struct editor *e);
void editor_end(struct editor *e);
void editor_erase_before(struct editor *e); /* one character */
void editor_erase_after(struct editor *e);
void editor_kill_word(struct editor *e);   /* in front of the cursor, with the blanks behind it */
void editor_kill_before(struct editor *e); /* everything in front of the cursor */
void editor_kill_after(struct editor *e);
void editor_set(struct editor *e, const char *text, size_t length); /* another line */

/* The byte at offset, the gap left out. */
static inline char editor_byte(const struct editor *e, size_t offset) {
    return offset < e->head ? e->text[offset] : e->text[LINE_MAX - e->tail + (offset - e->head)];
}
static inline size_t editor_length(const struct editor *e) {
    return e->head + e->tail;
}
/* Length of the character in front of offset > 0: a whole UTF-8 sequence, else one byte. */
size_t editor_length_before(const struct editor *e, size_t offset);
/* Length of the character at offset < length, and its code point; a byte that is no UTF-8 is '?'.
 */
size_t editor_character(const struct editor *e, size_t offset, uint32_t *code_point);

/* ---- editor_view.c */
#define STALE_NONE SIZE_MAX

void view_begin(struct editor *e);
/* Measures what was echoed since the last time; called before the text is changed elsewhere. */
void view_settle(struct editor *e);
void view_inserted(struct editor *e);                 /* the byte in front of the cursor is new */
void view_changed(struct editor *e, size_t offset);   /* from here on */
bool view_erased_last(struct editor *e, char erased); /* shown at once when that is simple */
void view_refresh(struct editor *e);                  /* brings the display up to date */
void view_clear(struct editor *e);  /* empties the screen and draws the line anew */
void view_again(struct editor *e);  /* the cursor stands at the start of an empty row */
void view_finish(struct editor *e); /* the cursor goes behind the line's last row */
#endif
