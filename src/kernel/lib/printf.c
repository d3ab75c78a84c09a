/* printf.c - formatted text. One formatter writes characters to a sink; the sink is either a
 * caller's buffer or the console. No heap and no large buffer: a panic prints with it. */
#include "lib/printf.h"

#include <stdbool.h>
#include <stdint.h>

#include "console/console.h"
#include "lib/string.h"

#define CONSOLE_CHUNK 128

struct sink {
    char *to;
    size_t size;   /* capacity of to */
    size_t used;   /* bytes in to */
    size_t length; /* characters put in total */
    bool console;  /* full: flush to the console instead of dropping */
};

static void put(struct sink *s, char c) {
    s->length++;
    if (s->console && s->used == s->size) {
        console_write(s->to, s->used);
        s->used = 0;
    }
    if (s->used < s->size)
        s->to[s->used++] = c;
}

struct spec {
    bool left, zero, upper;
    size_t width;
    size_t precision; /* SIZE_MAX: none given */
};

static void put_padded(struct sink *s, const struct spec *p, const char *prefix, const char *text,
                       size_t n) {
    size_t total = strlen(prefix) + n;
    size_t pad = p->width > total ? p->width - total : 0;
    bool zeros = p->zero && !p->left;
    for (size_t i = 0; !p->left && !zeros && i < pad; i++)
        put(s, ' ');
    for (; *prefix != '\0'; prefix++)
        put(s, *prefix);
    for (size_t i = 0; zeros && i < pad; i++)
        put(s, '0');
    for (size_t i = 0; i < n; i++)
        put(s, text[i]);
    for (size_t i = 0; p->left && i < pad; i++)
        put(s, ' ');
}

static void put_number(struct sink *s, const struct spec *p, const char *prefix, uint64_t value,
                       unsigned base) {
    const char *digits = p->upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[20];
    size_t at = sizeof(text);
    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    put_padded(s, p, prefix, text + at, sizeof(text) - at);
}

/* Length modifiers: 0 int, 1 long, 2 long long, 3 size_t. */
static uint64_t take_unsigned(va_list *args, int length) {
    switch (length) {
    case 0:
        return va_arg(*args, unsigned);
    case 1:
        return va_arg(*args, unsigned long);
    case 2:
        return va_arg(*args, unsigned long long);
    default:
        return va_arg(*args, size_t);
    }
}

static int64_t take_signed(va_list *args, int length) {
    switch (length) {
    case 0:
        return va_arg(*args, int);
    case 1:
        return va_arg(*args, long);
    case 2:
        return va_arg(*args, long long);
    default:
        return va_arg(*args, ptrdiff_t);
    }
}

static const char *parse_spec(const char *f, struct spec *p, int *length, va_list *args) {
    *p = (struct spec){.precision = SIZE_MAX};
    for (;; f++) {
        if (*f == '-')
            p->left = true;
        else if (*f == '0')
            p->zero = true;
        else
            break;
    }
    if (*f == '*') {
        int width = va_arg(*args, int);
        p->left |= width < 0;
        p->width = (size_t)(width < 0 ? -(int64_t)width : width);
        f++;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        p->width = p->width * 10 + (size_t)(*f - '0');
    if (*f == '.') {
        f++;
        p->precision = 0;
        if (*f == '*') {
            int precision = va_arg(*args, int);
            p->precision = precision < 0 ? SIZE_MAX : (size_t)precision;
            f++;
        }
        for (; *f >= '0' && *f <= '9'; f++)
            p->precision = p->precision * 10 + (size_t)(*f - '0');
    }
    *length = 0;
    if (*f == 'z') {
        *length = 3;
        f++;
    }
    for (; *f == 'l' && *length < 2; f++)
        ++*length;
    return f;
}

static void format_to(struct sink *s, const char *f, va_list *args) {
    for (; *f != '\0'; f++) {
        if (*f != '%') {
            put(s, *f);
            continue;
        }
        struct spec p;
        int length;
        f = parse_spec(f + 1, &p, &length, args);
        switch (*f) {
        case 's': {
            const char *text = va_arg(*args, const char *);
            if (text == NULL)
                text = "(null)";
            p.zero = false;
            put_padded(s, &p, "", text, strnlen(text, p.precision));
            break;
        }
        case 'c': {
            char c = (char)va_arg(*args, int);
            p.zero = false;
            put_padded(s, &p, "", &c, 1);
            break;
        }
        case 'd':
        case 'i': {
            int64_t value = take_signed(args, length);
            uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
            put_number(s, &p, value < 0 ? "-" : "", magnitude, 10);
            break;
        }
        case 'u':
            put_number(s, &p, "", take_unsigned(args, length), 10);
            break;
        case 'X':
            p.upper = true;
            put_number(s, &p, "", take_unsigned(args, length), 16);
            break;
        case 'x':
            put_number(s, &p, "", take_unsigned(args, length), 16);
            break;
        case 'p':
            put_number(s, &p, "0x", (uintptr_t)va_arg(*args, void *), 16);
            break;
        case '\0':
            return;
        default: /* %% and, visibly, anything unknown */
            if (*f != '%')
                put(s, '%');
            put(s, *f);
        }
    }
}

int kvsnprintf(char *to, size_t size, const char *format, va_list args) {
    struct sink s = {.to = to, .size = size > 0 ? size - 1 : 0};
    va_list copy;
    va_copy(copy, args);
    format_to(&s, format, &copy);
    va_end(copy);
    if (size > 0)
        to[s.used] = '\0';
    return (int)s.length;
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = kvsnprintf(to, size, format, args);
    va_end(args);
    return n;
}

void kvprintf(const char *format, va_list args) {
    char chunk[CONSOLE_CHUNK];
    struct sink s = {.to = chunk, .size = sizeof(chunk), .console = true};
    va_list copy;
    va_copy(copy, args);
    format_to(&s, format, &copy);
    va_end(copy);
    if (s.used > 0)
        console_write(s.to, s.used);
}

void kprintf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
}
