/* serial.h - 16550 UART at COM1, 115200 8N1; received bytes are buffered by IRQ 4. */
#ifndef KERNEL_DEV_SERIAL_H
#define KERNEL_DEV_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

void serial_init(void);       /* polled output and input */
void serial_enable_irq(void); /* input through IRQ 4 from now on; after irq_init */
void serial_write(const char *bytes, size_t n);
/* Waits until the last byte has left: before the machine is switched off. */
void serial_flush(void);
int serial_read(void);           /* next received byte, -1 when none */
bool serial_pending(void);       /* a received byte waits in the buffer */
bool serial_needs_polling(void); /* there is a port, but IRQ 4 has not been seen */
void serial_poll(void); /* moves received bytes into the buffer (also without interrupts) */
#endif
