/* printf.c - formatted text into a buffer and to the console. No heap and no large buffer: a panic
 * prints with it. */
#include "lib/printf.h"

#include "console/console.h"
#include "printf/format.h"

#define CONSOLE_CHUNK 128

int kvsnprintf(char *to, size_t size, const char *format, va_list args) {
    return format_to(to, size, format, args);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = kvsnprintf(to, size, format, args);
    va_end(args);
    return n;
}

static int to_console(const char *text, size_t length, void *context) {
    (void)context;
    console_write(text, length);
    return 0;
}

void kvprintf(const char *format, va_list args) {
    char chunk[CONSOLE_CHUNK];
    format_through(chunk, sizeof(chunk), to_console, NULL, format, args);
}

void kprintf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
}
