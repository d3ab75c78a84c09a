/* console.h - the conversation: text to serial and VGA, and lines from the serial port. */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

void console_init(void);
/* Text for people. On serial LF becomes CR LF, and control bytes that are no text become '?'. */
void console_write(const char *bytes, size_t n);
/* The console loop: prompts, reads a line, runs it; never returns. */
_Noreturn void console_run(void);
/* Takes in waiting input; true when Ctrl-C was pressed since the command's line was read. */
bool console_poll(void);
#endif
