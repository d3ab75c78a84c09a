/* libc_host_format.c - the kernel's formatted text against the process's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_host.h"

#ifdef KERNEL_UNIT
#include "printf/format.h"

#define ROOM 120

int libc_snprintf(char *to, size_t size, const char *format, ...);
int libc_vsnprintf(char *to, size_t size, const char *format, va_list args);
int libc_format_to(char *to, size_t size, const char *format, va_list args);
int libc_format_through(char *buffer, size_t size, format_write *write, void *context,
                        const char *format, va_list args);

struct pieces {
    char text[4 * ROOM];
    size_t used;
};

static int keep(const char *text, size_t length, void *context) {
    struct pieces *pieces = context;
    if (length > sizeof pieces->text - pieces->used)
        return -1;
    memcpy(pieces->text + pieces->used, text, length);
    pieces->used += length;
    return 0;
}

/* All ways to format give the same text and length, cut where the buffer ends. */
static void compare(const char *format, ...) {
    char ours[ROOM], theirs[ROOM], chunk[7];
    struct pieces pieces = {.used = 0};
    size_t size = random_below(4) == 0 ? random_below(ROOM) : ROOM;
    va_list args;
    memset(ours, 'X', sizeof ours);
    memset(theirs, 'X', sizeof theirs);
    va_start(args, format);
    int expected = vsnprintf(theirs, size, format, args);
    va_end(args);
    va_start(args, format);
    int found = random_below(2) != 0 ? libc_vsnprintf(ours, size, format, args)
                                     : libc_format_to(ours, size, format, args);
    va_end(args);
    if (found != expected || memcmp(ours, theirs, sizeof ours) != 0)
        differs(format, ours);
    va_start(args, format);
    found = libc_format_through(chunk, random_below(sizeof chunk) + 1, keep, &pieces, format, args);
    va_end(args);
    va_start(args, format);
    vsnprintf(theirs, sizeof theirs, format, args);
    va_end(args);
    size_t shown = pieces.used < ROOM ? pieces.used : ROOM - 1;
    if (found != expected || pieces.used != (size_t)expected ||
        memcmp(pieces.text, theirs, shown) != 0)
        differs(format, "in pieces");
}

static size_t add_flags(char *format, const char *flags) {
    size_t n = 0;
    format[n++] = '<';
    format[n++] = '%';
    for (; *flags != '\0'; flags++)
        if (random_below(4) == 0)
            format[n++] = *flags;
    if (random_below(2) != 0)
        n += (size_t)sprintf(format + n, "%u", random_below(30) + 1);
    return n;
}

static void add_precision(char *format, size_t *n) {
    if (random_below(2) != 0)
        *n += (size_t)sprintf(format + *n, ".%u", random_below(25));
}

static void integers(void) {
    static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "j", "t"};
    char format[64];
    char conversion = "diuxXo"[random_below(6)];
    int is_signed = conversion == 'd' || conversion == 'i';
    /* C17 7.21.6.1: + and blank are for signed, # for the others; the rest is undefined. */
    size_t n = add_flags(format, is_signed ? "-+ 0" : conversion == 'u' ? "-0" : "-#0");
    add_precision(format, &n);
    uint32_t length = random_below(8);
    sprintf(format + n, "%s%c>", lengths[length], conversion);
    uint64_t value = (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
    value >>= random_below(64);
    if (random_below(2) != 0)
        value = -value;
    if (length < 3)
        compare(format, (int)value);
    else if (length == 3 || length == 5 || length == 7)
        compare(format, (long)value);
    else
        compare(format, (long long)value);
}

static void text(void) {
    char format[64], word[40];
    size_t length = random_below(sizeof word), n = add_flags(format, "-");
    for (size_t i = 0; i < length; i++)
        word[i] = (char)('a' + random_below(26));
    if (length < sizeof word)
        word[length] = '\0';
    int precision = (int)random_below((uint32_t)length + 1);
    switch (random_below(3)) {
    case 0: /* no NUL within the precision: nothing behind it may be read */
        strcpy(format + n, ".*s>");
        char *exact = malloc((size_t)precision + 1);
        memcpy(exact, word, (size_t)precision);
        exact[precision] = 'X';
        compare(format, precision, exact);
        free(exact);
        break;
    case 1:
        strcpy(format + n, "s>");
        word[sizeof word - 1] = '\0';
        compare(format, word);
        break;
    default:
        strcpy(format + n, "c%%>");
        compare(format, (int)random_below(255) + 1);
    }
}

void differ_format(void) {
    switch (random_below(4)) {
    case 0:
        text();
        break;
    case 1:
        compare("%*d|%-*s|%.*x", (int)random_below(40) - 20, 7, (int)random_below(30), "ab",
                (int)random_below(20) - 5, random_below(1000));
        break;
    case 2:
        compare("%p %p", (void *)(uintptr_t)(random_below(UINT32_MAX - 1) + 1), (void *)compare);
        break;
    default:
        integers();
    }
}

#else

void differ_format(void) {
    differs("format", "the kernel's library only has it");
}

#endif
