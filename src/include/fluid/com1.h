/* com1.h - the first serial port, for everybody who writes to it: stage1, stage2, the kernel's
 * entry and its driver (National Semiconductor PC16550D data sheet, section 8). */
#ifndef FLUID_COM1_H
#define FLUID_COM1_H

#define COM1_PORT 0x3f8
#define COM1_LINE_CONTROL (COM1_PORT + 3)
#define COM1_LINE_STATUS (COM1_PORT + 5)

#define COM1_DIVISOR 1 /* 115200 baud */
#define COM1_DIVISOR_LATCH 0x80
#define COM1_8N1 0x03
#define COM1_TRANSMITTER_EMPTY 0x20 /* in the line status; the last byte may be on its way */

#endif
