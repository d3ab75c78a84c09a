/* width.h - how many columns a character takes on a terminal. The line editor and the VGA screen
 * use the same answer, so that both screens stay in step. */
#ifndef KERNEL_CONSOLE_WIDTH_H
#define KERNEL_CONSOLE_WIDTH_H

#include <stdint.h>

/* Where the next character goes. column == TERMINAL_COLUMNS: the row is full, and the next
 * character wraps first (the "last column flag" of the VT100, DEC STD 070). */
struct place {
    unsigned row, column;
};

#define TERMINAL_COLUMNS 80u
#define TAB_COLUMNS 8u

/* 0 for combining marks, 2 for East Asian wide characters and emoji, else 1. */
unsigned code_point_width(uint32_t code_point);
/* Where a character of this width is drawn: a row without room for it is left. */
struct place place_to_draw(struct place at, unsigned width);
/* The place behind a character; TAB moves to the next tab stop or the last column. */
struct place place_behind(struct place at, uint32_t code_point);
#endif
