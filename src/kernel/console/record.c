/* record.c - splits what comes from the serial line into typed bytes and records. The state is
 * bounded, and so is every record: a line feed that is lost costs RECORD_MAX bytes or
 * RECORD_SILENCE_NS, and no more. */
#include "console/record.h"

#include <stdbool.h>
#include <stddef.h>

#include "console/console.h"
#include "console/event.h"
#include "jit/compiler_serial.h"

#define RECORD_SEPARATOR 0x1e
#define CTRL_C 0x03
#define KINDS "HREB" /* first letters */
#define HEAD 3u      /* 0x1E, letter, blank: then it is none that somebody has typed */

enum state {
    OUTSIDE,
    BEGINNING, /* of what may be a record, its head comes */
    INSIDE,
    SKIPPING, /* to the end of a damaged one */
};

static enum state state;
static char text[RECORD_MAX + 1]; /* letter, blank and so on; NUL behind it */
static size_t length;             /* in text, or of what is skipped */
static uint64_t silence_ns;       /* since its last byte */
static unsigned long dropped;     /* records, since the start */

static uint8_t typed[HEAD];
static size_t typed_at, typed_count;

static void type(uint8_t byte) {
    typed[typed_count++] = byte;
}

int record_typed(void) {
    if (typed_at < typed_count)
        return typed[typed_at++];
    typed_at = typed_count = 0;
    return -1;
}

/* Tells of the first, the second, the fourth one and so on: they may be many. */
static void drop(const char *why) {
    struct fluid_error err;

    dropped++;
    if ((dropped & (dropped - 1)) != 0)
        return;
    fluid_fail(&err, "E-JIT-55",
               "records of a compile server at the serial line expected, found %s; %lu dropped so "
               "far (is the line noisy, or were they typed?)",
               why, dropped);
    console_aside_begin();
    report_warn(&err);
    console_aside_end();
}

static void begin(void) {
    state = BEGINNING;
    length = 0;
    silence_ns = 0;
}

static void end(void) {
    state = OUTSIDE;
    text[length] = '\0';
    if (!compiler_serial_take(text, length))
        drop("one that is damaged or late");
}

static bool is_kind(uint8_t byte) {
    for (const char *kind = KINDS; *kind; kind++)
        if (byte == (uint8_t)*kind)
            return true;
    return false;
}

static void feed_head(uint8_t byte) {
    if (length == 0 ? is_kind(byte) : byte == ' ') {
        text[length++] = (char)byte;
        if (length == HEAD - 1)
            state = INSIDE;
        return;
    }
    type(RECORD_SEPARATOR);
    if (length > 0)
        type((uint8_t)text[0]);
    if (byte == RECORD_SEPARATOR) {
        begin();
        return;
    }
    type(byte);
    state = OUTSIDE;
}

/* Of a record that has begun without doubt. */
static void feed_rest(uint8_t byte) {
    bool whole = state == INSIDE;

    silence_ns = 0;
    if (byte == '\n' && whole) {
        end();
    } else if (byte == '\n') {
        state = OUTSIDE;
    } else if (byte == RECORD_SEPARATOR || byte == CTRL_C) {
        if (byte == CTRL_C) {
            type(byte);
            state = OUTSIDE;
        } else {
            begin();
        }
        if (whole)
            drop("one without its end");
    } else if (length == RECORD_MAX) {
        type(byte);
        state = OUTSIDE;
        if (whole)
            drop("one that is too long");
    } else if (whole && byte >= ' ' && byte <= '~') {
        text[length++] = (char)byte;
    } else {
        length++;
        state = SKIPPING;
        if (whole)
            drop("a byte that is none of theirs");
    }
}

void record_feed(uint8_t byte) {
    if (state == BEGINNING)
        feed_head(byte);
    else if (state != OUTSIDE)
        feed_rest(byte);
    else if (byte == RECORD_SEPARATOR)
        begin();
    else
        type(byte);
}

void record_silence(uint64_t ns) {
    bool whole = state == INSIDE;

    if (state == OUTSIDE || state == BEGINNING)
        return;
    silence_ns += ns;
    if (silence_ns < RECORD_SILENCE_NS)
        return;
    state = OUTSIDE;
    if (whole)
        drop("one without its end");
}
