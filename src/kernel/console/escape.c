/* escape.c - which key an escape sequence stands for, as xterm, the Linux console and VT100s send
 * them ("XTerm Control Sequences", PC-style function keys). */
#include "console/escape.h"

#include <stdbool.h>

#define ESC 0x1b
#define MODIFIER_ALT 2u
#define MODIFIER_CTRL 4u

/* "n;m" as two numbers; a missing one is 1. Not more than ESCAPE_PARAMETERS_MAX digits: no
 * overflow matters, the values are only compared. */
static void read_parameters(const struct escape *e, unsigned values[2]) {
    unsigned at = 0;
    unsigned digits = 0;

    values[0] = values[1] = 1;
    for (unsigned i = 0; i < e->count && at < 2; i++) {
        char c = e->parameters[i];
        if (c == ';') {
            at++;
            digits = 0;
        } else if (c >= '0' && c <= '9') {
            values[at] = (digits++ ? values[at] * 10 : 0) + (unsigned)(c - '0');
        }
    }
}

static enum key arrow(char final, unsigned modifier) {
    bool word = ((modifier - 1) & (MODIFIER_ALT | MODIFIER_CTRL)) != 0;

    switch (final) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return word ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D':
        return word ? KEY_WORD_LEFT : KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    default:
        return KEY_NONE;
    }
}

static enum key numbered(unsigned number) {
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 4:
    case 8:
        return KEY_END;
    case 3:
        return KEY_DELETE;
    default:
        return KEY_NONE;
    }
}

static enum key csi_end(const struct escape *e, char final) {
    unsigned values[2];

    read_parameters(e, values);
    return final == '~' ? numbered(values[0]) : arrow(final, values[1]);
}

static enum key started(struct escape *e, uint8_t byte) {
    e->count = 0;
    e->state = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : ESCAPE_OUTSIDE;
    return e->state == ESCAPE_OUTSIDE ? KEY_BYTE : KEY_NONE;
}

static enum key csi(struct escape *e, uint8_t byte) {
    if (byte < 0x40) { /* parameter and intermediate bytes */
        e->parameters[e->count++] = (char)byte;
        if (e->count == ESCAPE_PARAMETERS_MAX) /* no key has so many: what follows is text */
            e->state = ESCAPE_OUTSIDE;
        return KEY_NONE;
    }
    if (byte == '[' && e->count == 0) { /* F1 to F5 of the Linux console: one more byte */
        e->state = ESCAPE_CSI_LINUX;
        return KEY_NONE;
    }
    e->state = ESCAPE_OUTSIDE;
    return csi_end(e, (char)byte);
}

enum key escape_feed(struct escape *e, uint8_t byte) {
    if (byte == ESC) {
        e->state = ESCAPE_STARTED;
        return KEY_NONE;
    }
    if (byte < 0x20 || byte >= 0x7f) {
        e->state = ESCAPE_OUTSIDE;
        return KEY_BYTE;
    }
    switch (e->state) {
    case ESCAPE_STARTED:
        return started(e, byte);
    case ESCAPE_CSI:
        return csi(e, byte);
    case ESCAPE_CSI_LINUX:
        e->state = ESCAPE_OUTSIDE;
        return KEY_NONE;
    case ESCAPE_SS3:
        e->state = ESCAPE_OUTSIDE;
        return byte < 0x40 ? KEY_BYTE : arrow((char)byte, 1);
    default:
        return KEY_BYTE;
    }
}
