/* history.c - lines back to back in one buffer, oldest first, with their lengths. */
#include "console/history.h"

#include "console/line.h"
#include "lib/string.h"

#define LINES 200u
#define BYTES LINE_MAX /* the longest line fits, alone */

static char bytes[BYTES];
static size_t lengths[LINES];
static size_t count, used;

static void drop_oldest(void) {
    size_t first = lengths[0];

    memmove(bytes, bytes + first, used - first);
    memmove(lengths, lengths + 1, (count - 1) * sizeof(lengths[0]));
    used -= first;
    count--;
}

void history_add(const char *text, size_t length) {
    size_t last;
    const char *newest = history_get(0, &last);

    if (length == 0 || length > BYTES)
        return;
    if (newest && last == length && memcmp(newest, text, length) == 0)
        return;
    while (count == LINES || BYTES - used < length)
        drop_oldest();
    memcpy(bytes + used, text, length);
    lengths[count++] = length;
    used += length;
}

const char *history_get(size_t age, size_t *length) {
    size_t end = used;

    if (age >= count)
        return NULL;
    for (size_t i = count - 1; i > count - 1 - age; i--)
        end -= lengths[i];
    *length = lengths[count - 1 - age];
    return bytes + end - *length;
}
