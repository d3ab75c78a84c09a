/* stage2_lib.c - memory functions, small and fast enough under an emulator, and the CRC-32. */
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

/* IEEE 802.3, reflected, as zlib.crc32. */
uint32_t crc32(const void *data, size_t n) {
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; bit++)
                c = c & 1 ? c >> 1 ^ CRC32_POLYNOMIAL : c >> 1;
            table[i] = c;
        }
    }
    const uint8_t *p = data;
    uint32_t crc = ~0u;
    while (n-- > 0)
        crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
}
