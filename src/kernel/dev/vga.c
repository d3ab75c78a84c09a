/* vga.c - VGA text mode 3: 80x25 cells of character and attribute at 0xB8000 (IBM VGA technical
 * reference). */
#include "dev/vga.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/port.h"
#include "dev/screen.h"

#define CELLS (SCREEN_ROWS * SCREEN_COLUMNS)
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

static volatile uint16_t *const cells = (volatile uint16_t *)0xb8000;
static uint16_t shown[CELLS]; /* what cells hold: video memory is slow to read and to write */
static unsigned cursor_shown;
static struct screen screen;

/* Background << 4 | foreground, of the 16 colours of the CGA. */
static const uint8_t attributes[VGA_STYLES] = {
    [VGA_TEXT] = 0x07,    /* light grey */
    [VGA_INPUT] = 0x0b,   /* light cyan */
    [VGA_REPLY] = 0x0f,   /* white */
    [VGA_NOTICE] = 0x08,  /* dark grey */
    [VGA_WARNING] = 0x0e, /* yellow */
    [VGA_ERROR] = 0x0c,   /* light red */
    [VGA_STATUS] = 0x1f,  /* white on blue */
};

static void crtc_write(uint8_t index, uint8_t value) {
    outb(CRTC_INDEX, index);
    outb(CRTC_DATA, value);
}

static void show_cursor(void) {
    unsigned at;

    if (!screen_cursor(&screen, &at))
        at = CELLS; /* behind the last cell: out of sight */
    if (at == cursor_shown)
        return;
    cursor_shown = at;
    crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
    crtc_write(CRTC_CURSOR_LOW, (uint8_t)at);
}

static void show(void) {
    for (unsigned i = screen.changed_first; i < screen.changed_end; i++) {
        uint16_t cell = screen_cell(&screen, i);

        if (shown[i] != cell)
            cells[i] = shown[i] = cell;
    }
    screen.changed_first = screen.changed_end = 0;
    show_cursor();
}

void vga_init(void) {
    screen_init(&screen, attributes[VGA_TEXT]);
    screen_set_status(&screen, "", 0, attributes[VGA_STATUS]);
    for (unsigned i = 0; i < CELLS; i++)
        cells[i] = shown[i] = screen_cell(&screen, i);
    crtc_write(CRTC_CURSOR_START, 14); /* visible, from scan line 14 */
    crtc_write(CRTC_CURSOR_START + 1, 15);
    cursor_shown = CELLS;
    show();
}

void vga_write(const char *bytes, size_t n) {
    screen_write(&screen, bytes, n);
    show();
}

void vga_style(enum vga_style style) {
    screen_set_attribute(&screen, attributes[style]);
}

void vga_status(const char *text, size_t n) {
    screen_set_status(&screen, text, n, attributes[VGA_STATUS]);
    show();
}

void vga_scroll_back(int pages) {
    screen_scroll(&screen, pages * (int)(SCREEN_TEXT_ROWS / 2));
    show();
}

void vga_scroll_end(void) {
    screen_scroll(&screen, -(int)SCREEN_LINES);
    show();
}
