/* escape.h - the escape sequences that terminals send for keys (ECMA-48 CSI, and SS3 of the VT100).
 * The state is bounded: whatever arrives, a sequence ends after a few bytes. */
#ifndef KERNEL_CONSOLE_ESCAPE_H
#define KERNEL_CONSOLE_ESCAPE_H

#include <stdint.h>

#define ESCAPE_PARAMETERS_MAX 16

enum key {
    KEY_BYTE, /* no sequence: the byte itself */
    KEY_NONE, /* inside a sequence, or the end of one without a meaning here */
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
};

enum escape_state { ESCAPE_OUTSIDE, ESCAPE_STARTED, ESCAPE_CSI, ESCAPE_CSI_LINUX, ESCAPE_SS3 };

struct escape {
    enum escape_state state;
    unsigned count; /* bytes in parameters */
    char parameters[ESCAPE_PARAMETERS_MAX];
};

/* What this byte completes. A control byte or a byte above 0x7f is never part of a sequence: it
 * ends one that is open and counts for itself. Behind ESC anything but '[' and 'O' does, too. */
enum key escape_feed(struct escape *e, uint8_t byte);
#endif
