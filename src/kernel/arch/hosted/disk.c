/* disk.c (hosted) - the image file as the machine's only disk; written to only when that is asked
 * for, and then by one process at a time. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "dev/block.h"

static int image = -1;
static uint64_t sectors;
static bool may_write;

int disk_open(const char *path, bool writable, struct fluid_error *err) {
    struct stat status;
    image = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    may_write = writable;
    if (image < 0 || fstat(image, &status) != 0 ||
        (writable && flock(image, LOCK_EX | LOCK_NB) != 0))
        return fluid_fail(err, "E-HOST-02",
                          "%.120s: a disk image expected, found: %s; build it "
                          "with scons",
                          path, strerror(errno));
    sectors = S_ISREG(status.st_mode) ? (uint64_t)status.st_size / BLOCK_SECTOR : 0;
    if (sectors <= BOOT_MANIFEST_LBA)
        return fluid_fail(err, "E-HOST-02",
                          "%.120s: a disk image expected, found no file of at "
                          "least %u sectors; build it with scons",
                          path, BOOT_MANIFEST_LBA + 1);
    return 0;
}

bool disk_read(uint64_t lba, void *to, size_t size) {
    uint64_t at;
    if (__builtin_mul_overflow(lba, BLOCK_SECTOR, &at) || at > INT64_MAX - size)
        return false;
    for (uint8_t *bytes = to; size > 0;) {
        ssize_t n = pread(image, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

static int read_sectors(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    size_t size;
    (void)device;
    if (__builtin_mul_overflow((size_t)count, BLOCK_SECTOR, &size))
        return -1;
    return disk_read(lba, buffer, size) ? 0 : -1;
}

static int write_sectors(struct block_device *device, uint64_t lba, uint32_t count,
                         const void *buffer) {
    const uint8_t *bytes = buffer;
    uint64_t at = lba * BLOCK_SECTOR; /* block_write has checked that it is in the file */
    (void)device;
    for (size_t size = (size_t)count * BLOCK_SECTOR; size > 0;) {
        ssize_t n = pwrite(image, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return BLOCK_FAILED;
        bytes += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return BLOCK_DONE;
}

static int flush(struct block_device *device) {
    (void)device;
    return fdatasync(image) == 0 ? BLOCK_DONE : BLOCK_FAILED;
}

void block_init(void) {
    static const struct block_device device = {.name = "file0", .read = read_sectors};
    struct block_device *added = block_add(&device);
    if (!added)
        return;
    added->sectors = sectors;
    if (may_write) {
        added->write = write_sectors;
        added->flush = flush;
    }
}
