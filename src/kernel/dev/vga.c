/* vga.c - VGA text mode 3: 80x25 cells of character and attribute at 0xB8000 (IBM VGA technical
 * reference). UTF-8 is decoded here, because a sequence may arrive in pieces. */
#include "dev/vga.h"

#include <stdint.h>

#include "arch/x86/port.h"
#include "lib/string.h"

#define COLUMNS 80u
#define ROWS 25u
#define TAB 8u
#define LIGHT_GREY_ON_BLACK 0x0700u
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

static volatile uint16_t *const cells = (volatile uint16_t *)0xb8000;
static uint16_t screen[ROWS * COLUMNS]; /* what cells show: reading video memory is slow */
static unsigned row, column;
static uint32_t code_point;
static unsigned continuation; /* bytes still missing from code_point */

/* Code page 437, 0x80 to 0xff. */
static const uint16_t cp437[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef,
    0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
    0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
    0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557,
    0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559,
    0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
    0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4,
    0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
    0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

/* Typographic signs that have a plain relative. */
static uint32_t plain(uint32_t point) {
    switch (point) {
    case 0x2018:
    case 0x2019:
        return '\'';
    case 0x201c:
    case 0x201d:
        return '"';
    case 0x2010:
    case 0x2011:
    case 0x2013:
    case 0x2014:
        return '-';
    case 0x2022:
        return 0x00b7;
    default:
        return point;
    }
}

static uint8_t glyph(uint32_t point) {
    point = plain(point);
    if (point >= 0x20 && point < 0x7f)
        return (uint8_t)point;
    for (unsigned i = 0; i < 128; i++)
        if (cp437[i] == point)
            return (uint8_t)(0x80 + i);
    return '?';
}

static void set_cell(unsigned at, uint8_t character) {
    screen[at] = LIGHT_GREY_ON_BLACK | character;
    cells[at] = screen[at];
}

static void newline(void) {
    column = 0;
    if (++row < ROWS)
        return;
    row = ROWS - 1;
    memmove(screen, screen + COLUMNS, sizeof(screen) - COLUMNS * sizeof(screen[0]));
    for (unsigned i = 0; i < COLUMNS; i++)
        screen[row * COLUMNS + i] = LIGHT_GREY_ON_BLACK | ' ';
    for (unsigned i = 0; i < ROWS * COLUMNS; i++)
        cells[i] = screen[i];
}

static void put(uint32_t point) {
    switch (point) {
    case '\n':
        newline();
        return;
    case '\r':
        column = 0;
        return;
    case '\b':
        column -= column > 0;
        return;
    case '\t':
        do {
            put(' ');
        } while (column % TAB != 0);
        return;
    default:
        break;
    }
    if (point < 0x20 || point == 0x7f)
        return;
    set_cell(row * COLUMNS + column, glyph(point));
    if (++column == COLUMNS)
        newline();
}

static void put_byte(uint8_t byte) {
    if (byte >= 0x80 && byte < 0xc0 && continuation > 0) {
        code_point = code_point << 6 | (byte & 0x3f);
        if (--continuation == 0)
            put(code_point);
        return;
    }
    if (continuation > 0) /* the sequence broke off */
        put('?');
    continuation = 0;
    if (byte < 0x80) {
        put(byte);
    } else if (byte >= 0xc2 && byte < 0xe0) {
        code_point = byte & 0x1f;
        continuation = 1;
    } else if (byte >= 0xe0 && byte < 0xf0) {
        code_point = byte & 0x0f;
        continuation = 2;
    } else if (byte >= 0xf0 && byte < 0xf5) {
        code_point = byte & 0x07;
        continuation = 3;
    } else {
        put('?');
    }
}

static void crtc_write(uint8_t index, uint8_t value) {
    outb(CRTC_INDEX, index);
    outb(CRTC_DATA, value);
}

static void move_cursor(void) {
    unsigned at = row * COLUMNS + column;
    crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
    crtc_write(CRTC_CURSOR_LOW, (uint8_t)at);
}

void vga_init(void) {
    row = column = continuation = 0;
    for (unsigned i = 0; i < ROWS * COLUMNS; i++)
        set_cell(i, ' ');
    crtc_write(CRTC_CURSOR_START, 14); /* visible, from scan line 14 */
    crtc_write(CRTC_CURSOR_START + 1, 15);
    move_cursor();
}

void vga_write(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        put_byte((uint8_t)bytes[i]);
    move_cursor();
}
