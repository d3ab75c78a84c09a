/* terminal_host.c - scan codes, key sequences, and the line editor on the screen model, in a Linux
 * process. usage: terminal_host scancodes|keys|edit|screen
 *
 * edit: standard input is what is typed; a NUL byte is a pause, in which the editor brings the
 * display up to date. There the screen must show exactly what a fresh terminal shows of the line,
 * with the cursor where the text in front of it ends. Prints the lines in hex. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/line.c" /* its editor is looked at between two keys */
#include "console/utf8.h"
#include "dev/scancode.h"
#include "dev/screen.h"

#define ATTRIBUTE 0x0b
#define WINDOW 20u

static struct screen screen, fresh;
static bool checked_mode;
static unsigned long echoed, input_count;

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, size, format, args);
    va_end(args);
    return n;
}

static void show(struct screen *s, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n')
            screen_write(s, "\r", 1);
        screen_write(s, bytes + i, 1);
    }
}

void console_write(const char *bytes, size_t n) {
    echoed += n;
    show(&screen, bytes, n);
}

void console_control(const char *bytes, size_t n) {
    console_write(bytes, n);
}

static _Noreturn void fail(const char *what, unsigned row) {
    printf("FAIL %s, row %u, at input byte %lu, cursor %u|%u, line of %zu|%zu bytes:\n", what, row,
           input_count, editor.at.row, editor.at.column, editor.head, editor.tail);
    for (size_t i = 0; i < editor_length(&editor); i++)
        printf("%02x", (unsigned char)editor_byte(&editor, i));
    printf("\n");
    for (unsigned i = 0; i < SCREEN_TEXT_ROWS; i++) {
        for (unsigned c = 0; c < SCREEN_COLUMNS; c++)
            putchar(screen_cell(&screen, i * SCREEN_COLUMNS + c) & 0xff);
        printf("|\n");
    }
    exit(1);
}

static struct place wrapped(struct place at) {
    return at.column == SCREEN_COLUMNS ? (struct place){at.row + 1, 0} : at;
}

static void type_line(struct screen *s, size_t length) {
    screen_init(s, ATTRIBUTE);
    show(s, PROMPT, PROMPT_COLUMNS);
    for (size_t i = 0; i < length; i++) {
        char byte = editor_byte(&editor, i);
        show(s, &byte, 1);
    }
    show(s, "\x1b[m", 3); /* a UTF-8 sequence that is cut off shows */
}

/* Where the cursor belongs: behind the head, or on the next row when what follows is too wide. On a
 * character that came to be around it by erasing broken ones, it stands where that begins. */
static struct place cursor_wanted(void) {
    struct place at;
    uint32_t point = ' ';
    size_t whole = 0, length = 0;

    while (whole + length <= editor.head && whole + length < editor_length(&editor)) {
        whole += length;
        length = editor_character(&editor, whole, &point);
    }
    if (whole + length <= editor.head)
        whole += length;
    point = ' ';
    type_line(&fresh, whole);
    at = (struct place){fresh.first + fresh.at.row, fresh.at.column};
    if (editor.tail > 0)
        editor_character(&editor, whole, &point);
    return wrapped(place_to_draw(at, point == '\t' ? 0 : code_point_width(point)));
}

static void check(void) {
    struct place cursor = cursor_wanted(), at;
    unsigned last, start;

    view_settle(&editor);
    show(&screen, "\x1b[m", 3); /* a UTF-8 sequence that is cut off shows, as it would later */
    at = wrapped(editor.at);
    if (at.row != cursor.row || at.column != cursor.column)
        fail("the editor's cursor", at.row);
    if (wrapped(screen.at).column != cursor.column)
        fail("the screen's cursor", screen.at.row);
    type_line(&fresh, editor_length(&editor));
    last = fresh.first + fresh.at.row;
    start = screen.first + screen.at.row - editor.at.row; /* the line of the prompt */
    for (unsigned row = editor.top; row <= last && row < editor.top + WINDOW; row++)
        if (memcmp(screen.lines[(start + row) % SCREEN_LINES], fresh.lines[row % SCREEN_LINES],
                   sizeof(screen.lines[0])) != 0)
            fail("what the screen shows", row);
    for (unsigned row = last + 1; row < editor.top + WINDOW; row++)
        for (unsigned c = 0; c < SCREEN_COLUMNS && start + row < screen.first + SCREEN_TEXT_ROWS;
             c++)
            if ((screen.lines[(start + row) % SCREEN_LINES][c] & 0xff) != ' ')
                fail("left over", row);
}

int input_read(void) {
    int byte = getchar();

    input_count += byte != EOF;
    if (byte == EOF) {
        printf("echoed %lu\n", echoed);
        exit(0);
    }
    return byte == 0 ? -1 : byte;
}

void input_wait(void) {
    if (checked_mode)
        check();
}

static void edit(void) {
    static struct line line;

    checked_mode = true;
    screen_init(&screen, ATTRIBUTE);
    for (;;) {
        console_write(PROMPT, PROMPT_COLUMNS);
        line_read(&line);
        printf("line ");
        for (size_t i = 0; i < line.length; i++)
            printf("%02x", (unsigned char)line.text[i]);
        printf("\n");
    }
}

static void scancodes(void) {
    struct scancode_state state = {0};
    int code;

    while ((code = getchar()) != EOF) {
        struct key_bytes key = scancode_feed(&state, (uint8_t)code);

        for (unsigned i = 0; i < key.count; i++)
            printf("%02x", (unsigned char)key.bytes[i]);
        if (key.scroll)
            printf("[%d]", key.scroll);
    }
}

static void keys(void) {
    static const char *const names[] = {"byte", "none", "left",   "right",     "up",        "down",
                                        "home", "end",  "delete", "word-left", "word-right"};
    struct escape state = {0};
    int byte;

    while ((byte = getchar()) != EOF) {
        enum key key = escape_feed(&state, (uint8_t)byte);

        if (key == KEY_BYTE)
            printf("%02x ", (unsigned)byte);
        else if (key != KEY_NONE)
            printf("%s ", names[key]);
    }
}

/* Prints the 25 rows after standard input was written; 0x01 scrolls back 12 rows, 0x02 forward. */
static void show_screen(void) {
    int byte;
    unsigned cursor = 0;
    bool visible;

    screen_init(&screen, ATTRIBUTE);
    screen_set_status(&screen, "status", 6, ATTRIBUTE);
    while ((byte = getchar()) != EOF) {
        char c = (char)byte;
        if (byte == 1 || byte == 2)
            screen_scroll(&screen, byte == 1 ? 12 : -12);
        else
            screen_write(&screen, &c, 1);
    }
    for (unsigned row = 0; row < SCREEN_ROWS; row++) {
        for (unsigned c = 0; c < SCREEN_COLUMNS; c++)
            printf("%02x", screen_cell(&screen, row * SCREEN_COLUMNS + c) & 0xff);
        printf("\n");
    }
    visible = screen_cursor(&screen, &cursor);
    printf("%d %u %u\n", visible, cursor / SCREEN_COLUMNS, cursor % SCREEN_COLUMNS);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";

    if (strcmp(mode, "scancodes") == 0)
        scancodes();
    else if (strcmp(mode, "keys") == 0)
        keys();
    else if (strcmp(mode, "edit") == 0)
        edit();
    else if (strcmp(mode, "screen") == 0)
        show_screen();
    else
        return 2;
    return 0;
}
