/* crc32.h - IEEE 802.3, reflected, as zlib.crc32. */
#ifndef BOOT_CRC32_H
#define BOOT_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(const void *data, size_t n);

#endif
