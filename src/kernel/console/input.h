/* input.h - what is typed, on the serial line or on the keyboard: one stream of bytes. */
#ifndef KERNEL_CONSOLE_INPUT_H
#define KERNEL_CONSOLE_INPUT_H

int input_read(void);  /* next byte, -1 when none waits */
void input_wait(void); /* sleeps until one may have arrived */
#endif
