/* block.h - disks, whatever controller they sit on. 512-byte sectors. */
#ifndef KERNEL_DEV_BLOCK_H
#define KERNEL_DEV_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "fluid/kapi.h"

#define BLOCK_SECTOR 512u
#define BLOCK_MAX_DEVICES 8

/* What a driver says of a command, once it has tried again what may be tried again. */
#define BLOCK_DONE 0
#define BLOCK_FAILED (-1)    /* the device reports an error */
#define BLOCK_TIMED_OUT (-2) /* the device does not answer */

struct block_device {
    char name[16]; /* "ahci0", "ide0", "virtio0" */
    uint64_t sectors;
    /* Move count >= 1 sectors from or to a buffer (2-byte aligned, physically contiguous because
     * memory is identity-mapped). One of the results above. Any count: the driver splits. */
    int (*read)(struct block_device *device, uint64_t lba, uint32_t count, void *buffer);
    int (*write)(struct block_device *device, uint64_t lba, uint32_t count,
                 const void *buffer);          /* NULL: read-only */
    int (*flush)(struct block_device *device); /* NULL: nothing is cached */
    void *driver;
};

void block_init(void); /* finds the disks (dev/disks.c) */
unsigned block_count(void);
struct block_device *block_get(unsigned index);
/* Adds a device (drivers); returns its permanent entry, NULL when the table is full. */
struct block_device *block_add(const struct block_device *device);

/* Reads sectors; `what` names them for people. -1 with E-DISK-01: the device reports an error,
 * E-DISK-03: it does not answer, E-DISK-04: not on the disk, or an odd buffer. */
int block_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer,
               const char *what, struct fluid_error *err);
/* The same the other way, with E-DISK-05 for an error and E-DISK-06 for a disk that is read-only.
 * After a failure each of the sectors holds what it held, what was to be written, or neither. */
int block_write(struct block_device *device, uint64_t lba, uint32_t count, const void *buffer,
                const char *what, struct fluid_error *err);
/* When it returns 0, all that was written before is on the medium. -1 with E-DISK-03 or E-DISK-07:
 * what was written since the last flush may be lost, a later flush does not tell. */
int block_flush(struct block_device *device, struct fluid_error *err);

/* MBR partition table (dev/mbr.c). */
struct partition {
    uint8_t type; /* 0: unused */
    uint64_t lba;
    uint64_t sectors;
};
/* Reads the four primary entries; entries outside the device, and all of a disk without 0x55AA
 * signature, are reported as unused. -1 with the code of block_read: unreadable. */
int mbr_read(struct block_device *device, struct partition partitions[4], struct fluid_error *err);
#endif
