/* console.h - the conversation: text to serial and VGA, and lines from the serial port. */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

void console_init(void);
void console_write(const char *bytes, size_t n); /* text for people; LF becomes CR LF on serial */
/* The console loop: prompts, reads a line, runs it; never returns. */
_Noreturn void console_run(void);
/* Takes in waiting input; true when Ctrl-C was pressed since console_clear_cancel. */
bool console_poll(void);
void console_clear_cancel(void);
#endif
