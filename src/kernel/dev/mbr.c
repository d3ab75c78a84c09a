/* mbr.c - the four primary partitions of a master boot record. Everything is checked against the
 * size of the device, so that whoever mounts a partition may trust its bounds. */
#include "dev/block.h"

#include <stdbool.h>

#include "lib/string.h"

#define TABLE_OFFSET 446
#define ENTRY_SIZE 16
#define ENTRY_TYPE 4
#define ENTRY_LBA 8
#define ENTRY_SECTORS 12
#define SIGNATURE_OFFSET 510

static uint32_t read_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int mbr_read(struct block_device *device, struct partition partitions[4], struct fluid_error *err) {
    _Alignas(4) uint8_t sector[BLOCK_SECTOR];
    memset(partitions, 0, 4 * sizeof(*partitions));
    if (block_read(device, 0, 1, sector, "the partition table", err))
        return -1;
    if (sector[SIGNATURE_OFFSET] != 0x55 || sector[SIGNATURE_OFFSET + 1] != 0xaa)
        return 0;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *entry = sector + TABLE_OFFSET + i * ENTRY_SIZE;
        struct partition p = {
            .type = entry[ENTRY_TYPE],
            .lba = read_u32(entry + ENTRY_LBA),
            .sectors = read_u32(entry + ENTRY_SECTORS),
        };
        /* LBA 0 is the table itself. */
        bool inside = p.lba != 0 && p.sectors != 0 && p.lba < device->sectors &&
                      p.sectors <= device->sectors - p.lba;
        if (p.type && inside)
            partitions[i] = p;
    }
    return 0;
}
