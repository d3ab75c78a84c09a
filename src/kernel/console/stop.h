/* stop.h - stop strings: a reply ends where one of them appears in its text. */
#ifndef KERNEL_CONSOLE_STOP_H
#define KERNEL_CONSOLE_STOP_H

#include <stdbool.h>
#include <stddef.h>

#define STOP_STRINGS_MAX 4
#define STOP_BYTES_MAX 64 /* of each */

struct stop_strings {
    char bytes[STOP_STRINGS_MAX][STOP_BYTES_MAX];
    size_t length[STOP_STRINGS_MAX];
    unsigned count;
};

/* false: too many, too long, or empty. */
bool stop_add(struct stop_strings *stop, const char *bytes, size_t n);

/* Text that is held back because a stop string may have begun in it. */
struct stop_filter {
    const struct stop_strings *stop;
    char held[STOP_BYTES_MAX];
    size_t count;
};

/* Passes text on to write, except what may be the beginning of a stop string. True when one is
 * complete: it and what follows are not written. */
bool stop_feed(struct stop_filter *f, const char *bytes, size_t n,
               void (*write)(void *context, const char *bytes, size_t n), void *context);
/* The text has ended: what is held back is written, up to a stop string that is complete in it
 * (then true). */
bool stop_flush(struct stop_filter *f, void (*write)(void *context, const char *bytes, size_t n),
                void *context);
#endif
