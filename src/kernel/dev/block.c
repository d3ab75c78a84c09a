/* block.c - the table of disks and the checked way to read, write and flush them. */
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

/* No driver sees a range that is not on its disk, wraps around, or ends behind the address space.
 */
static int check(const struct block_device *device, uint64_t lba, uint32_t count,
                 const void *buffer, const char *what, struct fluid_error *err) {
    uintptr_t end;
    uint64_t bytes = (uint64_t)count * BLOCK_SECTOR;
    if (count == 0 || lba >= device->sectors || count > device->sectors - lba)
        return fluid_fail(err, "E-DISK-04",
                          "disk %s, %.60s: sectors below %llu expected, found %u from %llu; report "
                          "this",
                          device->name, what, (unsigned long long)device->sectors, count,
                          (unsigned long long)lba);
    /* DMA engines drop the lowest bit of an address. */
    if ((uintptr_t)buffer & 1 || __builtin_add_overflow((uintptr_t)buffer, bytes, &end))
        return fluid_fail(err, "E-DISK-04",
                          "disk %s, %.60s: an even address expected with %llu bytes behind it, "
                          "found %p; report this",
                          device->name, what, (unsigned long long)bytes, buffer);
    return 0;
}

static int no_answer(const struct block_device *device, const char *what, struct fluid_error *err) {
    return fluid_fail(err, "E-DISK-03",
                      "disk %s, %.60s: an answer expected, none came in time (check the disk and "
                      "its cable, or restart the machine)",
                      device->name, what);
}

int block_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer,
               const char *what, struct fluid_error *err) {
    if (check(device, lba, count, buffer, what, err))
        return -1;
    int result = device->read(device, lba, count, buffer);
    if (result == BLOCK_DONE)
        return 0;
    if (result == BLOCK_TIMED_OUT)
        return no_answer(device, what, err);
    return fluid_fail(
        err, "E-DISK-01",
        "disk %s, reading %.60s: %u sectors from %llu expected, the device reports an error "
        "(check the disk and its cable, or write the image again)",
        device->name, what, count, (unsigned long long)lba);
}

int block_write(struct block_device *device, uint64_t lba, uint32_t count, const void *buffer,
                const char *what, struct fluid_error *err) {
    if (check(device, lba, count, buffer, what, err))
        return -1;
    if (!device->write)
        return fluid_fail(err, "E-DISK-06",
                          "disk %s, writing %.60s: a disk that can be written expected, found a "
                          "read-only one (attach it writable)",
                          device->name, what);
    int result = device->write(device, lba, count, buffer);
    if (result == BLOCK_DONE)
        return 0;
    if (result == BLOCK_TIMED_OUT)
        return no_answer(device, what, err);
    return fluid_fail(
        err, "E-DISK-05",
        "disk %s, writing %.60s: %u sectors from %llu expected to be taken, the device reports "
        "an error (check the disk and its cable)",
        device->name, what, count, (unsigned long long)lba);
}

int block_flush(struct block_device *device, struct fluid_error *err) {
    int result = device->flush ? device->flush(device) : BLOCK_DONE;
    if (result == BLOCK_DONE)
        return 0;
    if (result == BLOCK_TIMED_OUT)
        return no_answer(device, "flush", err);
    return fluid_fail(err, "E-DISK-07",
                      "disk %s, flush: all that was written expected on the medium, the device "
                      "reports an error (what was written last may be lost; check the disk)",
                      device->name);
}
