/* line.c - line input with echo and editing, over a queue that is filled while replies are
 * generated.
 *
 * CR, LF or CRLF ends a line. Editing applies to control bytes only: Backspace/DEL remove a
 * character, Ctrl-U the line, Ctrl-W a word, Ctrl-C drops the line. Other control bytes except TAB
 * are ignored.
 *
 * While a line is awaited, no byte behind its end is taken from the serial port: a Ctrl-C there is
 * still to come when the line's command polls, and stops it. During a command Ctrl-C overtakes what
 * was typed before. */
#include "console/line.h"

#include <stdint.h>

#include "console/console.h"
#include "dev/serial.h"

#define QUEUE_SIZE (128u << 10)
#define CTRL_C 0x03
#define CTRL_U 0x15
#define CTRL_W 0x17
#define BACKSPACE 0x08
#define DELETE 0x7f

static uint8_t queue[QUEUE_SIZE]; /* bytes received and not yet read as a line */
static size_t queue_head, queue_count;
static bool cancelled;
static bool after_cr; /* the last line ended with CR: a LF right behind it belongs to it */

void line_poll(void) {
    while (queue_count < QUEUE_SIZE) { /* when full, the serial port holds the sender back */
        int byte = serial_read();
        if (byte < 0)
            return;
        if (byte == CTRL_C) {
            cancelled = true;
            continue;
        }
        queue[(queue_head + queue_count++) % QUEUE_SIZE] = (uint8_t)byte;
    }
}

bool line_cancelled(void) {
    return cancelled;
}

/* Next byte of input: first what came during the last command, then what comes now. */
static uint8_t next_byte(void) {
    uint8_t queued;
    int byte;

    if (queue_count == 0) {
        while ((byte = serial_read()) < 0)
            serial_wait();
        return (uint8_t)byte;
    }
    queued = queue[queue_head];
    queue_head = (queue_head + 1) % QUEUE_SIZE;
    queue_count--;
    return queued;
}

/* Removes the last character (a whole UTF-8 sequence) from the line and from the screen. */
static void erase_character(struct line *line) {
    if (line->length == 0)
        return;
    while (line->length > 1 && ((uint8_t)line->text[line->length - 1] & 0xc0) == 0x80)
        line->length--;
    line->length--;
    console_write("\b \b", 3);
}

static void erase_word(struct line *line) {
    while (line->length > 0 && line->text[line->length - 1] == ' ')
        erase_character(line);
    while (line->length > 0 && line->text[line->length - 1] != ' ')
        erase_character(line);
}

static void edit(struct line *line, uint8_t byte) {
    if (byte == BACKSPACE || byte == DELETE) {
        erase_character(line);
    } else if (byte == CTRL_U) {
        while (line->length > 0)
            erase_character(line);
        line->too_long = false;
    } else if (byte == CTRL_W) {
        erase_word(line);
    } else if (byte == CTRL_C) {
        line->length = 0;
        line->too_long = false;
        console_write("^C\n> ", 5);
    }
}

void line_read(struct line *line) {
    line->length = 0;
    line->too_long = false;
    cancelled = false; /* it was meant for the command before */
    for (;;) {
        uint8_t byte = next_byte();
        bool ends_pair = byte == '\n' && after_cr;

        after_cr = false;
        if (ends_pair)
            continue;
        if (byte == '\r' || byte == '\n') {
            after_cr = byte == '\r';
            break;
        }
        if ((byte < 0x20 && byte != '\t') || byte == DELETE) {
            edit(line, byte);
        } else if (line->length == LINE_MAX) {
            line->too_long = true;
        } else {
            line->text[line->length++] = (char)byte;
            console_write((const char *)&line->text[line->length - 1], 1);
        }
    }
    if (line->too_long)
        line->length = 0;
    line->text[line->length] = '\0';
    console_write("\n", 1);
}
