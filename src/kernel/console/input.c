/* input.c - serial line and keyboard as one. The keyboard goes first, so that the bytes of one key
 * stay together; keys that scroll the screen back act at once and are no input. Neither are records
 * of a program at the serial line. */
#include "console/input.h"

#include "arch/x86/clock.h"
#include "console/record.h"
#include "dev/keyboard.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "dev/wait.h"

static int read_line(void) {
    for (;;) {
        int byte = record_typed();

        if (byte >= 0)
            return byte;
        byte = serial_read();
        if (byte < 0)
            return -1;
        record_feed((uint8_t)byte);
    }
}

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
            return read_line();
        }
    }
}

void input_wait(void) {
    uint64_t start = clock_ns();

    device_wait();
    record_silence(clock_ns() - start);
}
