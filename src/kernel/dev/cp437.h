/* cp437.h - characters as the glyphs that a VGA text screen has (code page 437). */
#ifndef KERNEL_DEV_CP437_H
#define KERNEL_DEV_CP437_H

#include <stdint.h>

/* The glyph, a plain relative of it, or '?'. */
uint8_t cp437_glyph(uint32_t code_point);
#endif
