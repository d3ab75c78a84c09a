/* vga.h - 80x25 VGA text: a terminal with colours, scroll-back, a status line and the hardware
 * cursor. UTF-8 outside ASCII is shown as its CP437 glyph where one exists, else as '?'. */
#ifndef KERNEL_DEV_VGA_H
#define KERNEL_DEV_VGA_H

#include <stddef.h>

/* What is written, and so its colour (vga.c has the table). */
enum vga_style {
    VGA_TEXT,   /* what the system says */
    VGA_INPUT,  /* what is typed */
    VGA_REPLY,  /* what the model says */
    VGA_NOTICE, /* figures behind a reply */
    VGA_WARNING,
    VGA_ERROR,
    VGA_STATUS, /* the status line */
    VGA_STYLES,
};

void vga_init(void);
void vga_write(const char *bytes, size_t n); /* see screen_write */
void vga_style(enum vga_style style);        /* of what is written from now on */
void vga_status(const char *text, size_t n);
void vga_scroll_back(int pages); /* half a screen each; negative: on */
void vga_scroll_end(void);       /* to the newest rows */
#endif
