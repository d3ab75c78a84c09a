/* fat16_chain.c - cluster chains: checked once as a whole, then followed, and file contents read
 * with one request per run of neighbouring clusters. */
#include "fs/fat16_internal.h"
#include "lib/string.h"

/* Most sectors per request: keeps progress reports at most 4 MiB apart. */
#define REQUEST_SECTORS ((4u << 20) / BLOCK_SECTOR)

int fat16_check_chain(const struct fat16 *fs, uint16_t first, uint32_t *length, const char *name,
                      struct fluid_error *err) {
    uint32_t cluster = first, count = 0;
    do {
        if (cluster == FAT16_COPIES_DIFFER && count > 0)
            return fluid_fail(
                err, "E-FAT-17",
                "%.60s: equal FATs expected, the copies differ (or hold 1) for cluster %u of its "
                "chain (run fsck.vfat, or copy the file again)",
                name, count);
        if (!fat16_cluster_valid(fs, cluster))
            return fluid_fail(err, "E-FAT-14",
                              "%.60s: clusters 2 to %u expected in its chain, %u found after %u "
                              "(run fsck.vfat, or copy the file again)",
                              name, fs->cluster_count + 1, cluster, count);
        /* More links than clusters: some cluster came up twice, and so it would for ever. */
        if (count == fs->cluster_count)
            return fluid_fail(err, "E-FAT-15",
                              "%.60s: a chain with an end expected, a loop found (run fsck.vfat, "
                              "or copy the file again)",
                              name);
        count++;
        cluster = fs->fat[cluster];
    } while (cluster < FAT16_END_OF_CHAIN);
    *length = count;
    return 0;
}

uint32_t fat16_run_length(const struct fat16 *fs, uint16_t cluster, uint32_t limit) {
    uint32_t n = 1;
    while (n < limit && fs->fat[cluster + n - 1] == cluster + n)
        n++;
    return n;
}

/* Reads size bytes from one run of clusters. Whole sectors go straight to the buffer while it has
 * room for them; a last partial sector that it has no room for goes through a sector of our own. */
static int read_run(struct fat16 *fs, uint16_t cluster, uint64_t size, uint8_t *to, uint64_t room,
                    const char *name, struct fluid_error *err) {
    uint64_t lba = fat16_cluster_lba(fs, cluster);
    uint64_t sectors = (size + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
    if (sectors * BLOCK_SECTOR > room)
        sectors = size / BLOCK_SECTOR;
    if (sectors > 0 && block_read(fs->device, lba, (uint32_t)sectors, to, name, err))
        return -1;
    uint64_t done = sectors * BLOCK_SECTOR;
    if (done >= size)
        return 0;
    _Alignas(4) uint8_t tail[BLOCK_SECTOR];
    if (block_read(fs->device, lba + sectors, 1, tail, name, err))
        return -1;
    memcpy(to + done, tail, (size_t)(size - done));
    return 0;
}

int fat16_read(struct fat16 *fs, const struct fat16_entry *entry, void *buffer, size_t capacity,
               void (*progress)(uint64_t done, uint64_t total), struct fluid_error *err) {
    const char *name = entry->name;
    uint64_t size = entry->size, done = 0;
    if (entry->directory)
        return fluid_fail(err, "E-FAT-19",
                          "%.60s: a file expected, a directory found (name a file in it)", name);
    if (capacity < size)
        return fluid_fail(err, "E-FAT-20",
                          "%.60s: room for %u bytes expected, %llu found (give the machine more "
                          "memory)",
                          name, entry->size, (unsigned long long)capacity);
    if (size == 0)
        return 0;
    uint32_t cluster_bytes = fs->sectors_per_cluster * BLOCK_SECTOR;
    uint32_t length;
    if (fat16_check_chain(fs, entry->first_cluster, &length, name, err))
        return -1;
    if ((uint64_t)length * cluster_bytes < size)
        return fluid_fail(err, "E-FAT-16",
                          "%.60s: clusters for %u bytes expected in its chain, %u of %u bytes "
                          "found (run fsck.vfat, or copy the file again)",
                          name, entry->size, length, cluster_bytes);
    uint16_t cluster = entry->first_cluster;
    while (done < size) {
        uint32_t run = fat16_run_length(fs, cluster, REQUEST_SECTORS / fs->sectors_per_cluster);
        uint64_t n = (uint64_t)run * cluster_bytes;
        if (n > size - done)
            n = size - done;
        if (read_run(fs, cluster, n, (uint8_t *)buffer + done, capacity - done, name, err))
            return -1;
        done += n;
        cluster = fs->fat[cluster + run - 1];
        if (progress)
            progress(done, size);
    }
    return 0;
}
