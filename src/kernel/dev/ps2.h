/* ps2.h - the keyboard's side of the i8042 controller: scan codes of set 1, buffered by IRQ 1. */
#ifndef KERNEL_DEV_PS2_H
#define KERNEL_DEV_PS2_H

#include <stdbool.h>

/* Sets the controller up and starts the keyboard; after irq_init. Without a controller nothing else
 * does anything. */
void ps2_init(void);
int ps2_read(void);  /* next scan code, -1 when none */
void ps2_poll(void); /* moves waiting codes into the buffer (also without interrupts) */
bool ps2_pending(void);
/* IRQ 1 has not been seen although the keyboard answers: it must be polled. */
bool ps2_needs_polling(void);
#endif
