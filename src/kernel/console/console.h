/* console.h - the conversation: text to serial and VGA, and lines from serial port and keyboard. */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/vga.h"

void console_init(void);
/* Text for people. On serial LF becomes CR LF; control bytes that are no text become '?'. */
void console_write(const char *bytes, size_t n);
/* Control sequences of our own, for both screens: only what screen_write understands. */
void console_control(const char *bytes, size_t n);
/* The colour of what is written from now on; serial output has none. */
void console_style(enum vga_style style);
/* The console loop: prompts, reads a line, runs it; never returns. */
_Noreturn void console_run(void);
/* Around what a task in the background has to say: a line that is being typed is shown anew behind
 * it. */
void console_aside_begin(void);
void console_aside_end(void);
/* Takes in waiting input; true when Ctrl-C was pressed since the command's line was read. */
bool console_poll(void);
/* The longest time between two of these in the last command that had some: Ctrl-C waits no longer.
 */
uint64_t console_longest_poll_us(void);
#endif
