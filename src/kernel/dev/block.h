/* block.h - disks, whatever controller they sit on. 512-byte sectors. */
#ifndef KERNEL_DEV_BLOCK_H
#define KERNEL_DEV_BLOCK_H

#include <stdint.h>

#include "fluid/kapi.h"

#define BLOCK_SECTOR 512u
#define BLOCK_MAX_DEVICES 8

struct block_device {
    char name[16]; /* "ahci0", "ide0" */
    uint64_t sectors;
    /* Reads count >= 1 sectors into buffer (2-byte aligned, physically contiguous because memory is
     * identity-mapped). 0, or -1 on a device error or time-out. Any count: the driver splits. */
    int (*read)(struct block_device *device, uint64_t lba, uint32_t count, void *buffer);
    void *driver;
};

void block_init(void); /* finds the disks (dev/disks.c) */
unsigned block_count(void);
struct block_device *block_get(unsigned index);
/* Adds a device (drivers); returns its permanent entry, NULL when the table is full. */
struct block_device *block_add(const struct block_device *device);
/* Checked read: lba + count within the device, else -1 without touching it. */
int block_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer);
/* The same; a failure is E-DISK-01, which says that `what` was being read. */
int block_read_named(struct block_device *device, uint64_t lba, uint32_t count, void *buffer,
                     const char *what, struct fluid_error *err);

/* MBR partition table (dev/mbr.c). */
struct partition {
    uint8_t type; /* 0: unused */
    uint64_t lba;
    uint64_t sectors;
};
/* Reads the four primary entries; entries outside the device, and all of a disk without 0x55AA
 * signature, are reported as unused. -1 with E-DISK-01: unreadable. */
int mbr_read(struct block_device *device, struct partition partitions[4], struct fluid_error *err);
#endif
