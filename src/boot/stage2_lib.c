/* stage2_lib.c - memory functions, small and fast enough under an emulator. */
#include "stage2.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    void *at = to;
    size_t words = n / 4;
    __asm__ volatile("rep movsl" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
    n %= 4;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t n) {
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(byte) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}
