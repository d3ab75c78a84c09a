/* scancode.h - the keyboard's scan codes (set 1, as the i8042 translates them) as the bytes that a
 * serial terminal sends for the same keys. US layout. Knows no hardware. */
#ifndef KERNEL_DEV_SCANCODE_H
#define KERNEL_DEV_SCANCODE_H

#include <stdbool.h>
#include <stdint.h>

#define KEY_BYTES_MAX 8

struct scancode_state {
    bool extended;     /* 0xE0 came: the next code is another key */
    uint8_t skip;      /* codes of the Pause key still to come */
    uint8_t shift;     /* bit 0: the left one is down, bit 1: the right one */
    uint8_t ctrl, alt; /* likewise */
    bool caps, no_num; /* locks; Num Lock is on at first */
    bool caps_is_down; /* a key that is held repeats, the lock must not */
    bool num_is_down;
};

struct key_bytes {
    uint8_t count;
    char bytes[KEY_BYTES_MAX];
    int8_t scroll; /* 1: a page back (Shift-PgUp), -1: a page on (Shift-PgDn) */
};

/* Takes one scan code; what it yields, often nothing. */
struct key_bytes scancode_feed(struct scancode_state *state, uint8_t code);
#endif
