/* print_host.c - what the console's code prints with, in a Linux process: text for people goes
 * nowhere. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "console/console.h"
#include "lib/panic.h"
#include "lib/printf.h"

void console_style(enum vga_style style) {
    (void)style;
}

void kprintf(const char *format, ...) {
    (void)format;
}

_Noreturn void panic(const char *format, ...) {
    fprintf(stderr, "panic: %s\n", format);
    abort();
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, size, format, args);
    va_end(args);
    return n;
}
