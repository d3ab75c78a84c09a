/* screen.h - a text screen of 80x25 cells as a terminal: text rows with scroll-back, a status row
 * below. Knows no hardware; vga.c shows it. */
#ifndef KERNEL_DEV_SCREEN_H
#define KERNEL_DEV_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/width.h"

#define SCREEN_COLUMNS TERMINAL_COLUMNS
#define SCREEN_ROWS 25u
#define SCREEN_TEXT_ROWS 24u /* the last row is the status line */
#define SCREEN_LINES 1024u   /* text rows that are kept, power of two */
#define SCREEN_PARAMETERS_MAX 2

enum screen_state { SCREEN_TEXT, SCREEN_ESCAPE, SCREEN_CSI };

struct screen {
    uint16_t lines[SCREEN_LINES][SCREEN_COLUMNS]; /* attribute << 8 | glyph; a ring */
    uint16_t status[SCREEN_COLUMNS];
    uint32_t first;  /* number of the line in the first text row, since the start */
    uint32_t back;   /* rows scrolled back */
    struct place at; /* the cursor; row below SCREEN_TEXT_ROWS */
    uint8_t attribute;
    char held[4]; /* a UTF-8 sequence that is not complete yet */
    unsigned held_count;
    enum screen_state state;
    unsigned parameters[SCREEN_PARAMETERS_MAX], parameter_count;
    unsigned changed_first, changed_end; /* cells to show anew; none when first >= end */
};

void screen_init(struct screen *s, uint8_t attribute);
/* UTF-8 text with \n \r \b \t, and what the line editor sends: CSI A B C D H J K. Returns to the
 * newest rows. */
void screen_write(struct screen *s, const char *bytes, size_t n);
void screen_set_attribute(struct screen *s, uint8_t attribute); /* of what is written from now on */
/* The status line, cut or filled with blanks. */
void screen_set_status(struct screen *s, const char *text, size_t n, uint8_t attribute);
void screen_scroll(struct screen *s, int rows); /* back (> 0) or on; as far as there are rows */
/* What cell `at` of the 25 rows shows. */
uint16_t screen_cell(const struct screen *s, unsigned at);
/* Cell of the cursor; false while it is scrolled out of sight. */
bool screen_cursor(const struct screen *s, unsigned *at);
#endif
