/* wait.h - sleeping until a person or a program types something. */
#ifndef KERNEL_DEV_WAIT_H
#define KERNEL_DEV_WAIT_H

/* Returns when a byte may have arrived from the serial port or the keyboard. */
void device_wait(void);
/* For handlers of interrupts: one has. */
void device_wake(void);
#endif
