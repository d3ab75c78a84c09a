/* fat16_internal.h - what the files of the FAT16 reader share. Structures and rules: Microsoft FAT
 * specification 1.03 (fatgen103). */
#ifndef KERNEL_FS_FAT16_INTERNAL_H
#define KERNEL_FS_FAT16_INTERNAL_H

#include "fs/fat16.h"

#define FAT16_FIRST_CLUSTER 2u
#define FAT16_END_OF_CHAIN 0xfff8u /* this and all above */
/* Stored by fat16_mount in place of an entry on which the two FATs disagree; never a valid link. */
#define FAT16_COPIES_DIFFER 1u

#define FAT16_ATTR_VOLUME 0x08
#define FAT16_ATTR_DIRECTORY 0x10
#define FAT16_ATTR_LONG_NAME 0x0f
#define FAT16_ATTR_LONG_NAME_MASK 0x3f
#define FAT16_DIR_ENTRY 32u

#define FAT16_SHORT_NAME 11 /* bytes: 8 of the name, 3 of the extension */

static inline uint16_t fat16_u16(const uint8_t *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t fat16_u32(const uint8_t *p) {
    return fat16_u16(p) | (uint32_t)fat16_u16(p + 2) << 16;
}

/* fat16_chain.c */
static inline bool fat16_cluster_valid(const struct fat16 *fs, uint32_t cluster) {
    return cluster >= FAT16_FIRST_CLUSTER && cluster - FAT16_FIRST_CLUSTER < fs->cluster_count;
}

static inline uint64_t fat16_cluster_lba(const struct fat16 *fs, uint32_t cluster) {
    return fs->data_lba + (uint64_t)(cluster - FAT16_FIRST_CLUSTER) * fs->sectors_per_cluster;
}

/* Follows the chain to its end: every link valid, no loop. Stores the number of clusters. After
 * success the chain can be followed without checks. */
int fat16_check_chain(const struct fat16 *fs, uint16_t first, uint32_t *length, const char *name,
                      struct fluid_error *err);
/* Length of the run of neighbouring clusters that begins at cluster, at most limit (>= 1). */
uint32_t fat16_run_length(const struct fat16 *fs, uint16_t cluster, uint32_t limit);

/* fat16_name.c: a long name is spread over the entries before its short entry, last part first. */
#define FAT16_LONG_PARTS 20
#define FAT16_LONG_UNITS 13 /* UTF-16 code units per part */

struct fat16_long_name {
    uint16_t units[FAT16_LONG_PARTS * FAT16_LONG_UNITS + 1];
    uint8_t parts;    /* 0: no name is being collected */
    uint8_t next;     /* ordinal of the part that must come next, 0 when complete */
    uint8_t checksum; /* of the short name that it belongs to */
};

/* Takes in one long-name entry; anything out of order drops the name collected so far. */
void fat16_long_name_add(struct fat16_long_name *l, const uint8_t *raw);
/* Fills entry->name and entry->short_name for the short entry raw and forgets the long name. */
void fat16_take_names(struct fat16_long_name *l, const uint8_t *raw, struct fat16_entry *entry);

#endif
