/* keyboard.h - the keyboard as the terminal it stands for: each key yields the bytes that a serial
 * terminal would send. */
#ifndef KERNEL_DEV_KEYBOARD_H
#define KERNEL_DEV_KEYBOARD_H

#include <stdbool.h>

#define KEYBOARD_SCROLL_UP 0x100 /* no byte: Shift-PgUp */
#define KEYBOARD_SCROLL_DOWN 0x101

void keyboard_init(void); /* input through IRQ 1 from now on; after irq_init */
int keyboard_read(void);  /* next byte or a KEYBOARD_ value, -1 when there is none */
#endif
