/* fat16.h - read-only FAT16 with long names (Microsoft FAT specification 1.03). Every number from
 * the disk is checked; cluster chains are followed at most once round. */
#ifndef KERNEL_FS_FAT16_H
#define KERNEL_FS_FAT16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dev/block.h"
#include "fluid/kapi.h"

#define FAT16_NAME_MAX 256

struct fat16 {
    struct block_device *device;
    uint64_t lba; /* of the partition */
    uint32_t sectors_per_cluster;
    uint32_t cluster_count; /* valid clusters are 2 .. cluster_count + 1 */
    uint32_t root_entries;
    uint64_t root_lba, data_lba;
    uint16_t *fat; /* (cluster_count + 2,) whole FAT in memory */
};

struct fat16_entry {
    char name[FAT16_NAME_MAX]; /* UTF-8, long name when there is one */
    char short_name[13];       /* "MODEL.GGUF" */
    bool directory;
    uint32_t size;
    uint16_t first_cluster;
};

/* Error codes of all functions here:
 *   E-DISK-01  the device reports a read error
 * boot sector and FAT (fat16_mount):
 *   E-FAT-01   no jump instruction or signature       E-FAT-08   total sectors
 *   E-FAT-02   bytes per sector                       E-FAT-09   areas larger than the file system
 *   E-FAT-03   sectors per cluster                    E-FAT-10   cluster count not FAT16's
 *   E-FAT-04   reserved sectors                       E-FAT-11   FAT too short
 *   E-FAT-05   number of FATs                         E-FAT-12   FAT's first two entries
 *   E-FAT-06   root entries                           E-FAT-13   out of memory
 *   E-FAT-07   media byte
 * files and directories:
 *   E-FAT-14   cluster outside the data area          E-FAT-18   no such name
 *   E-FAT-15   chain loops                            E-FAT-19   file for directory or the reverse
 *   E-FAT-16   chain shorter than the file            E-FAT-20   buffer too small
 *   E-FAT-17   the two FATs differ here               E-FAT-21   directory without "." for itself
 */
int fat16_mount(struct fat16 *fs, struct block_device *device, uint64_t lba, uint64_t sectors,
                struct fluid_error *err);
void fat16_unmount(struct fat16 *fs);
/* path: "MODEL.GGUF", "MODULES/tensor_f32.mod"; "" or "/" is the root. Case-insensitive (ASCII),
 * long or short names. */
int fat16_lookup(struct fat16 *fs, const char *path, struct fat16_entry *entry,
                 struct fluid_error *err);
/* Calls visit for each entry of a directory; stops when it returns false. */
int fat16_list(struct fat16 *fs, const char *path,
               bool (*visit)(const struct fat16_entry *, void *), void *context,
               struct fluid_error *err);
/* Reads the whole file into buffer. capacity >= entry->size; where it reaches to the end of the
 * last sector, that sector is read as a whole. Neighbouring clusters are read with one request.
 * progress may be NULL; it is called at least every 4 MiB. */
int fat16_read(struct fat16 *fs, const struct fat16_entry *entry, void *buffer, size_t capacity,
               void (*progress)(uint64_t done, uint64_t total), struct fluid_error *err);
#endif
