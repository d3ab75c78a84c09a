/* vga.h - 80x25 VGA text output with scrolling and hardware cursor. UTF-8 outside ASCII is shown as
 * its CP437 glyph where one exists, else as '?'. */
#ifndef KERNEL_DEV_VGA_H
#define KERNEL_DEV_VGA_H

#include <stddef.h>

void vga_init(void);
void vga_write(const char *bytes, size_t n); /* understands \n \r \b \t */
#endif
