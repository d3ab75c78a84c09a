/* cache_device.h - a disk in memory for tests of the cache: it records what is written when, and
 * fails when told to. */
#ifndef CACHE_DEVICE_H
#define CACHE_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "dev/block.h"

#define DISK_FLUSH UINT32_MAX /* in place of an LBA */

struct disk_event {
    uint32_t lba;
    uint8_t data[BLOCK_SECTOR];
};

struct memory_disk {
    struct block_device block; /* driver points to the whole */
    uint8_t *image;
    struct disk_event *events;
    size_t event_count, event_room;
    long write_faults; /* after so many more sectors all writes fail; -1: never */
    bool flush_fails;
    uint64_t bad_lba, bad_count; /* sectors that cannot be read */
};

/* Of zeros. */
void disk_make(struct memory_disk *d, uint64_t sectors);
void disk_free(struct memory_disk *d);
void disk_set_writable(struct memory_disk *d, bool writable);

/* SplitMix64 (Steele, Lea, Flood 2014), as in cache_driver.py. */
uint64_t splitmix(uint64_t *state);
#endif
