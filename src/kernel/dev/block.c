/* block.c - the table of disks and the checked way to read them. */
#include "dev/block.h"

static struct block_device devices[BLOCK_MAX_DEVICES];
static unsigned device_count;

unsigned block_count(void) {
    return device_count;
}

struct block_device *block_get(unsigned index) {
    return index < device_count ? &devices[index] : 0;
}

struct block_device *block_add(const struct block_device *device) {
    if (device_count == BLOCK_MAX_DEVICES)
        return 0;
    devices[device_count] = *device;
    return &devices[device_count++];
}

int block_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    if (count == 0 || lba >= device->sectors || count > device->sectors - lba)
        return -1;
    if ((uintptr_t)buffer & 1) /* DMA engines drop the lowest address bit */
        return -1;
    return device->read(device, lba, count, buffer);
}

int block_read_named(struct block_device *device, uint64_t lba, uint32_t count, void *buffer,
                     const char *what, struct fluid_error *err) {
    if (block_read(device, lba, count, buffer) == 0)
        return 0;
    return fluid_fail(
        err, "E-DISK-01",
        "disk %s, reading %.60s: %u sectors from %llu expected, the device reports an error "
        "(check the disk and its cable, or write the image again)",
        device->name, what, count, (unsigned long long)lba);
}
