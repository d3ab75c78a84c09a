/* partition.h - the file system that this machine's files are on: the first sound FAT16 partition.
 */
#ifndef KERNEL_FS_PARTITION_H
#define KERNEL_FS_PARTITION_H

#include "fs/fat16.h"

/* Mounts it, once the disks are known. Disks that are passed over for a reason are warned of. */
void partition_mount(void);
/* NULL when there is none; *err, which may be NULL, is why: E-DISK-01, E-DISK-02, or what
 * fat16_mount found wrong. */
struct fat16 *partition_files(struct fluid_error *err);
#endif
