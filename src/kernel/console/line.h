/* line.h - lines typed or pasted, with editing and history. Bytes are taken in at any time and kept
 * until a line is awaited, so nothing that is pasted during a reply is lost. */
#ifndef KERNEL_CONSOLE_LINE_H
#define KERNEL_CONSOLE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_MAX (64u << 10) /* bytes in a line, without its end */

struct line {
    char text[LINE_MAX + 1]; /* NUL-terminated for convenience; may contain NUL */
    size_t length;
    bool too_long; /* the line had more than LINE_MAX bytes and was dropped */
};

/* Waits for one line, echoing and editing it. */
void line_read(struct line *line);
/* After other output: shows prompt and line anew, if one is being read. */
void line_show_again(void);
/* Takes in waiting bytes without blocking; Ctrl-C is remembered, not stored. */
void line_poll(void);
/* The same for a task in the background: while a line is read, that takes them in itself. */
void line_poll_aside(void);
/* Ctrl-C came since the last line_read. */
bool line_cancelled(void);
#endif
