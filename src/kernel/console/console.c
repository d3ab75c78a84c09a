/* console.c - the conversation with the user: text out to serial and VGA, lines in, one prompt
 * each. */
#include "console/console.h"

#include "arch/x86/time.h"
#include "console/command.h"
#include "console/event.h"
#include "console/line.h"
#include "console/model.h"
#include "console/status.h"
#include "console/editor.h"
#include "dev/serial.h"
#include "dev/vga.h"

#define LOOKS_PER_S 1000u
#define US_PER_S 1000000u

static struct line line;
static uint64_t polled, longest; /* cycles; of the command that polled last */
static enum vga_style current_style, style_before_aside;

void console_init(void) {
    serial_init();
    vga_init();
}

/* Control bytes with a meaning for text. All others become '?': a model may produce any byte, and
 * 0x1E would begin an event on the serial line, ESC command the terminal. */
static bool is_text(char c) {
    return (unsigned char)c >= 0x20 || c == '\r' || c == '\t' || c == '\b';
}

static void write_both(const char *bytes, size_t n) {
    if (n == 0)
        return;
    serial_write(bytes, n);
    vga_write(bytes, n);
}

void console_write(const char *bytes, size_t n) {
    size_t start = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_text(bytes[i]))
            continue;
        write_both(bytes + start, i - start);
        if (bytes[i] == '\n')
            write_both("\r\n", 2);
        else
            write_both("?", 1);
        start = i + 1;
    }
    write_both(bytes + start, n - start);
}

void console_control(const char *bytes, size_t n) {
    write_both(bytes, n);
}

void console_style(enum vga_style style) {
    current_style = style;
    vga_style(style);
}

void console_aside_begin(void) {
    style_before_aside = current_style;
    console_write("\n", 1);
    console_style(VGA_NOTICE);
}

void console_aside_end(void) {
    console_style(style_before_aside);
    line_show_again();
}

uint64_t console_longest_poll_us(void) {
    return longest * US_PER_S / time_hz();
}

/* Modules ask more often than that: looking at devices costs more than at the counter. */
bool console_poll(void) {
    uint64_t now = time_cycles(), passed = now - polled;

    if (polled == 0)
        longest = 0;
    else if (passed < time_hz() / LOOKS_PER_S)
        return line_cancelled();
    else if (passed > longest)
        longest = passed;
    polled = now;
    line_poll();
    return line_cancelled();
}

static void prompt(void) {
    event_begin("prompt");
    event_end();
    status_update();
    console_style(VGA_INPUT);
    console_write(PROMPT, PROMPT_COLUMNS);
}

/* A command without polls leaves what is known about the one before. */
static void begin_command(void) {
    polled = 0;
}

_Noreturn void console_run(void) {
    model_load_default();
    model_ready_event();
    for (;;) {
        prompt();
        line_read(&line);
        begin_command();
        console_style(VGA_TEXT);
        command_run(&line);
    }
}
