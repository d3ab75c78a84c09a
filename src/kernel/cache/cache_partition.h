/* cache_partition.h - this machine's cache: the partition of type CACHE_PARTITION on the disk that
 * the model's partition is on. Disks of others are left alone. */
#ifndef KERNEL_CACHE_CACHE_PARTITION_H
#define KERNEL_CACHE_CACHE_PARTITION_H

#include "cache/cache.h"

/* Finds and mounts it, once the disks and the file system are known; says what it found in an event
 * and warns of what is wrong. Never fails. */
void cache_partition_mount(void);
/* NULL where there is none, with E-CACHE-01, 02, 13 or the code of mbr_read; err may be NULL. */
struct cache *cache_partition(struct fluid_error *err);
/* Writes what is only in memory, before the machine is switched off; warns when that fails. */
void cache_partition_sync(void);
#endif
