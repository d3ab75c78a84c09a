/* input.c - serial line and keyboard as one. The keyboard goes first, so that the bytes of one key
 * stay together; keys that scroll the screen back act at once and are no input. */
#include "console/input.h"

#include "dev/keyboard.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "dev/wait.h"

int input_read(void) {
    for (;;) {
        int key = keyboard_read();

        if (key == KEYBOARD_SCROLL_UP) {
            vga_scroll_back(1);
        } else if (key == KEYBOARD_SCROLL_DOWN) {
            vga_scroll_back(-1);
        } else if (key >= 0) {
            vga_scroll_end();
            return key;
        } else {
            return serial_read();
        }
    }
}

void input_wait(void) {
    device_wait();
}
