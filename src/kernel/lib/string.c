/* string.c - memory and string functions. The bulk moves are string instructions: processors copy
 * with them at full width, and an emulator moves a whole word per step. no_builtin keeps the
 * compiler from turning a loop in here into a call of the very function it implements. */
#include "lib/string.h"

#include <stdint.h>

#define NO_BUILTIN __attribute__((no_builtin))

static inline void copy_forward(void *to, const void *from, size_t n) {
    size_t words = n / sizeof(uintptr_t), rest = n % sizeof(uintptr_t);
#ifdef __x86_64__
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
#else
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
#endif
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

NO_BUILTIN void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    copy_forward(to, from, n);
    return to;
}

NO_BUILTIN void *memmove(void *to, const void *from, size_t n) {
    /* String instructions move one element after the other, so only a target that begins inside the
     * source has to be copied from the end. */
    if ((uintptr_t)to - (uintptr_t)from >= n) {
        copy_forward(to, from, n);
        return to;
    }
    unsigned char *t = to;
    const unsigned char *f = from;
    while (n > 0) {
        n--;
        t[n] = f[n];
    }
    return to;
}

NO_BUILTIN void *memset(void *to, int byte, size_t n) {
    void *at = to;
    uintptr_t word = (uintptr_t)-1 / 255 * (unsigned char)byte;
    size_t words = n / sizeof(uintptr_t), rest = n % sizeof(uintptr_t);
#ifdef __x86_64__
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(word) : "memory");
#else
    __asm__ volatile("rep stosl" : "+D"(at), "+c"(words) : "a"(word) : "memory");
#endif
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(word) : "memory");
    return to;
}

NO_BUILTIN int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

NO_BUILTIN size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n] != '\0')
        n++;
    return n;
}

NO_BUILTIN size_t strnlen(const char *s, size_t max) {
    size_t n = 0;
    while (n < max && s[n] != '\0')
        n++;
    return n;
}

NO_BUILTIN int strcmp(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

NO_BUILTIN int strncmp(const char *a, const char *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i])
            return (unsigned char)a[i] - (unsigned char)b[i];
        if (a[i] == '\0')
            break;
    }
    return 0;
}
