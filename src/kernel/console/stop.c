/* stop.c - finds stop strings in a stream of text, byte by byte. */
#include "console/stop.h"

#include "lib/string.h"

bool stop_add(struct stop_strings *stop, const char *bytes, size_t n) {
    if (n == 0 || n > STOP_BYTES_MAX || stop->count == STOP_STRINGS_MAX)
        return false;
    memcpy(stop->bytes[stop->count], bytes, n);
    stop->length[stop->count++] = n;
    return true;
}

enum match { MATCH_NONE, MATCH_BEGUN, MATCH_COMPLETE };

/* Does a stop string begin with the n bytes at text, or the text with a stop string? */
static enum match match_at(const struct stop_strings *stop, const char *text, size_t n) {
    enum match found = MATCH_NONE;

    for (unsigned i = 0; i < stop->count; i++) {
        size_t length = stop->length[i], common = n < length ? n : length;

        if (memcmp(stop->bytes[i], text, common) != 0)
            continue;
        if (common == length)
            return MATCH_COMPLETE;
        found = MATCH_BEGUN;
    }
    return found;
}

bool stop_feed(struct stop_filter *f, const char *bytes, size_t n,
               void (*write)(void *context, const char *bytes, size_t n), void *context) {
    for (size_t i = 0; i < n; i++) {
        enum match match = MATCH_NONE;
        size_t passed = 0;

        f->held[f->count++] = bytes[i];
        while (passed < f->count &&
               (match = match_at(f->stop, f->held + passed, f->count - passed)) == MATCH_NONE)
            passed++;
        write(context, f->held, passed);
        f->count = match == MATCH_COMPLETE ? 0 : f->count - passed;
        if (match == MATCH_COMPLETE)
            return true;
        memmove(f->held, f->held + passed, f->count);
    }
    return false;
}

bool stop_flush(struct stop_filter *f, void (*write)(void *context, const char *bytes, size_t n),
                void *context) {
    size_t passed = 0;

    /* A shorter one may be complete inside of what a longer one had begun with. */
    while (passed < f->count &&
           match_at(f->stop, f->held + passed, f->count - passed) != MATCH_COMPLETE)
        passed++;
    write(context, f->held, passed);
    bool stopped = passed < f->count;
    f->count = 0;
    return stopped;
}
