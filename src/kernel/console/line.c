/* line.c - line input over a queue that is filled while replies are generated: which byte or key
 * does what.
 *
 * CR, LF or CRLF ends a line. Editing applies to control bytes and key sequences only; control
 * bytes without a meaning except TAB are ignored.
 *
 * While a line is awaited, no byte behind its end is taken from its source: a Ctrl-C there is
 * still to come when the line's command polls, and stops it. During a command Ctrl-C overtakes what
 * was typed before. */
#include "console/line.h"

#include <stdint.h>

#include "console/console.h"
#include "console/editor.h"
#include "console/escape.h"
#include "console/history.h"
#include "console/input.h"
#include "lib/string.h"

#define QUEUE_SIZE (128u << 10)
#define CTRL(letter) ((letter) & 0x1f)
#define DELETE 0x7f

static uint8_t queue[QUEUE_SIZE]; /* bytes received and not yet read as a line */
static size_t queue_head, queue_count;
static bool cancelled;
static bool after_cr; /* the last line ended with CR: a LF right behind it belongs to it */
static struct escape escape;
static struct editor editor;
static bool reading;

/* How far back in the history the line was taken from; 0: it is a new one. The new one is put aside
 * meanwhile. */
static size_t recalled;
static char aside[LINE_MAX];
static size_t aside_length;

void line_poll(void) {
    while (queue_count < QUEUE_SIZE) { /* when full, the serial port holds the sender back */
        int byte = input_read();
        if (byte < 0)
            return;
        if (byte == CTRL('C')) {
            cancelled = true;
            continue;
        }
        queue[(queue_head + queue_count++) % QUEUE_SIZE] = (uint8_t)byte;
    }
}

void line_poll_aside(void) {
    if (!reading)
        line_poll();
}

bool line_cancelled(void) {
    return cancelled;
}

/* Next byte of input: first what came during the last command, then what comes now. The display is
 * brought up to date whenever nothing waits. */
static uint8_t next_byte(void) {
    uint8_t queued;
    int byte;

    if (queue_count == 0) {
        while ((byte = input_read()) < 0) {
            view_refresh(&editor);
            input_wait();
        }
        return (uint8_t)byte;
    }
    queued = queue[queue_head];
    queue_head = (queue_head + 1) % QUEUE_SIZE;
    queue_count--;
    return queued;
}

/* The line becomes the one of this age. */
static void recall(size_t age) {
    const char *text = aside;
    size_t length = aside_length;

    if (age > 0) {
        text = history_get(age - 1, &length);
        if (!text)
            return;
    }
    if (recalled == 0) {
        editor_end(&editor);
        aside_length = editor.head;
        memcpy(aside, editor.text, aside_length);
    }
    recalled = age;
    editor_set(&editor, text, length);
}

static void drop_line(void) {
    char *text = editor.text;

    editor_end(&editor);
    view_refresh(&editor);
    console_write("^C\n" PROMPT, 3 + PROMPT_COLUMNS);
    editor_begin(&editor, text);
    recalled = 0;
}

static void press(enum key key) {
    switch (key) {
    case KEY_LEFT:
        editor_left(&editor);
        break;
    case KEY_RIGHT:
        editor_right(&editor);
        break;
    case KEY_WORD_LEFT:
        editor_word_left(&editor);
        break;
    case KEY_WORD_RIGHT:
        editor_word_right(&editor);
        break;
    case KEY_HOME:
        editor_home(&editor);
        break;
    case KEY_END:
        editor_end(&editor);
        break;
    case KEY_DELETE:
        editor_erase_after(&editor);
        break;
    case KEY_UP:
        recall(recalled + 1);
        break;
    case KEY_DOWN:
        if (recalled > 0)
            recall(recalled - 1);
        break;
    case KEY_BYTE:
    case KEY_NONE:
        break;
    }
}

static void control(uint8_t byte) {
    switch (byte) {
    case CTRL('A'):
        editor_home(&editor);
        break;
    case CTRL('C'):
        drop_line();
        break;
    case CTRL('E'):
        editor_end(&editor);
        break;
    case CTRL('H'):
    case DELETE:
        editor_erase_before(&editor);
        break;
    case CTRL('K'):
        editor_kill_after(&editor);
        break;
    case CTRL('L'):
        view_clear(&editor);
        break;
    case CTRL('U'):
        editor_kill_before(&editor);
        break;
    case CTRL('W'):
        editor_kill_word(&editor);
        break;
    default:
        break;
    }
}

void line_show_again(void) {
    if (reading)
        view_again(&editor);
}

void line_read(struct line *line) {
    cancelled = false; /* it was meant for the command before */
    recalled = 0;
    editor_begin(&editor, line->text);
    reading = true;
    for (;;) {
        uint8_t byte = next_byte();
        bool ends_pair = byte == '\n' && after_cr;
        enum key key;

        after_cr = false;
        if (ends_pair)
            continue;
        key = escape_feed(&escape, byte);
        if (key != KEY_BYTE) {
            press(key);
        } else if (byte == '\r' || byte == '\n') {
            after_cr = byte == '\r';
            break;
        } else if ((byte < 0x20 && byte != '\t') || byte == DELETE) {
            control(byte);
        } else {
            editor_insert(&editor, byte);
        }
    }
    reading = false;
    editor_end(&editor);
    view_finish(&editor);
    line->too_long = editor.too_long;
    line->length = editor.too_long ? 0 : editor.head;
    line->text[line->length] = '\0';
    history_add(line->text, line->length);
}
