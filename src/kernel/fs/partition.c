/* partition.c - looks through the disks for a FAT16 partition. */
#include "fs/partition.h"

#include "console/event.h"
#include "dev/block.h"

static struct fat16 filesystem;
static bool mounted;
static struct fluid_error reason; /* why not */

static bool is_fat16(uint8_t type) {
    return type == 0x04 || type == 0x06 || type == 0x0e; /* CHS small, CHS, LBA */
}

/* Mounts the first FAT16 partition of one disk; -1 with the reason, code "" when it has none. */
static int mount_on(struct block_device *disk, struct fluid_error *err) {
    struct partition partitions[4];

    err->code[0] = '\0';
    if (mbr_read(disk, partitions, err) < 0)
        return -1;
    for (unsigned p = 0; p < 4; p++)
        if (is_fat16(partitions[p].type))
            return fat16_mount(&filesystem, disk, partitions[p].lba, partitions[p].sectors, err);
    return -1;
}

void partition_mount(void) {
    struct fluid_error found;
    bool told = false;

    for (unsigned i = 0; i < block_count() && !mounted; i++) {
        mounted = mount_on(block_get(i), &found) == 0;
        if (!mounted && found.code[0] == '\0')
            continue;
        if (told)
            report_warn(&reason);
        reason = found;
        told = !mounted;
    }
    if (!mounted && !told)
        fluid_fail(
            &reason, "E-DISK-02",
            "a disk with a FAT16 partition expected, none found on %u disks; is the disk attached?",
            block_count());
}

struct fat16 *partition_files(struct fluid_error *err) {
    if (!mounted && err)
        *err = reason;
    return mounted ? &filesystem : NULL;
}
