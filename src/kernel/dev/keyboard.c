/* keyboard.c - scan codes from the PS/2 controller, decoded when they are read. */
#include "dev/keyboard.h"

#include "dev/ps2.h"
#include "dev/scancode.h"

static struct scancode_state state;
static struct key_bytes key; /* the last key; its bytes from next on are still to be read */
static unsigned next;

void keyboard_init(void) {
    ps2_init();
}

int keyboard_read(void) {
    while (next == key.count) {
        int code = ps2_read();

        if (code < 0)
            return -1;
        key = scancode_feed(&state, (uint8_t)code);
        next = 0;
        if (key.scroll != 0)
            return key.scroll > 0 ? KEYBOARD_SCROLL_UP : KEYBOARD_SCROLL_DOWN;
    }
    return (unsigned char)key.bytes[next++];
}
