/* console.c - the conversation with the user: text out to serial and VGA, lines in, one prompt
 * each. */
#include "console/console.h"

#include "console/command.h"
#include "console/event.h"
#include "console/line.h"
#include "console/model.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "lib/printf.h"

static struct line line;

void console_init(void) {
    serial_init();
    vga_init();
}

/* Control bytes with a meaning for text. All others become '?' on the serial line: a model may
 * produce any byte, and 0x1E would begin an event, ESC command the terminal. */
static bool is_text(char c) {
    return (unsigned char)c >= 0x20 || c == '\r' || c == '\t' || c == '\b';
}

void console_write(const char *bytes, size_t n) {
    size_t start = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_text(bytes[i]))
            continue;
        serial_write(bytes + start, i - start);
        if (bytes[i] == '\n')
            serial_write("\r\n", 2);
        else
            serial_write("?", 1);
        start = i + 1;
    }
    serial_write(bytes + start, n - start);
    vga_write(bytes, n);
}

bool console_poll(void) {
    line_poll();
    return line_cancelled();
}

static void prompt(void) {
    event_begin("prompt");
    event_end();
    console_write("> ", 2);
}

_Noreturn void console_run(void) {
    model_load_default();
    model_ready_event();
    for (;;) {
        prompt();
        line_read(&line);
        command_run(&line);
    }
}
