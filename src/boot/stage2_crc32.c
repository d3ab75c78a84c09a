/* stage2_crc32.c - the CRC-32 of manifest and blobs, with a table: kernels have megabytes. The host
 * runner checks the same fields with it. */
#include "crc32.h"
#include "layout.h"

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
