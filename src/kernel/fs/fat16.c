/* fat16.c - mounting: every field of the boot sector is checked against the others and against the
 * partition, and the FAT is read into memory. Field names as in fatgen103, "Boot Sector and BPB".
 */
#include "fs/fat16.h"

#include "fs/fat16_internal.h"
#include "lib/string.h"
#include "mm/heap.h"

#define BPB_BYTS_PER_SEC 11
#define BPB_SEC_PER_CLUS 13
#define BPB_RSVD_SEC_CNT 14
#define BPB_NUM_FATS 16
#define BPB_ROOT_ENT_CNT 17
#define BPB_TOT_SEC16 19
#define BPB_MEDIA 21
#define BPB_FAT_SZ16 22
#define BPB_TOT_SEC32 32
#define SIGNATURE 510

#define ENTRIES_PER_SECTOR (BLOCK_SECTOR / FAT16_DIR_ENTRY)
#define SEC_PER_CLUS_MAX 128
#define CLUSTERS_MIN 4085  /* below: FAT12 */
#define CLUSTERS_MAX 65524 /* above: FAT32 */
/* FAT[1] is an end mark, of which the two top bits say "cleanly unmounted" and "no disk errors". */
#define FAT1_FLAGS 0xc000u

struct bpb {
    uint32_t bytes_per_sector, sectors_per_cluster, reserved, fats, root_entries;
    uint32_t total16, total32, total, fat_sectors;
    uint8_t media;
};

static int read_bpb(struct fat16 *fs, struct bpb *b, struct fluid_error *err) {
    _Alignas(4) uint8_t sector[BLOCK_SECTOR];
    if (block_read(fs->device, fs->lba, 1, sector, "the FAT16 boot sector", err))
        return -1;
    bool jump = (sector[0] == 0xeb && sector[2] == 0x90) || sector[0] == 0xe9;
    if (!jump || sector[SIGNATURE] != 0x55 || sector[SIGNATURE + 1] != 0xaa)
        return fluid_fail(
            err, "E-FAT-01",
            "boot sector: jump EB xx 90 or E9 and signature 55 AA expected, %x %x %x and %x %x "
            "found (not a FAT file system? write the image again)",
            sector[0], sector[1], sector[2], sector[SIGNATURE], sector[SIGNATURE + 1]);
    *b = (struct bpb){
        .bytes_per_sector = fat16_u16(sector + BPB_BYTS_PER_SEC),
        .sectors_per_cluster = sector[BPB_SEC_PER_CLUS],
        .reserved = fat16_u16(sector + BPB_RSVD_SEC_CNT),
        .fats = sector[BPB_NUM_FATS],
        .root_entries = fat16_u16(sector + BPB_ROOT_ENT_CNT),
        .total16 = fat16_u16(sector + BPB_TOT_SEC16),
        .total32 = fat16_u32(sector + BPB_TOT_SEC32),
        .fat_sectors = fat16_u16(sector + BPB_FAT_SZ16),
        .media = sector[BPB_MEDIA],
    };
    b->total = b->total16 ? b->total16 : b->total32;
    return 0;
}

/* Each field for itself. */
static int check_fields(const struct bpb *b, struct fluid_error *err) {
    if (b->bytes_per_sector != BLOCK_SECTOR)
        return fluid_fail(err, "E-FAT-02",
                          "boot sector: 512 bytes per sector expected, %u found (format with "
                          "mkfs.vfat -S 512)",
                          b->bytes_per_sector);
    uint32_t spc = b->sectors_per_cluster;
    if (spc == 0 || spc > SEC_PER_CLUS_MAX || spc & (spc - 1))
        return fluid_fail(err, "E-FAT-03",
                          "boot sector: sectors per cluster expected to be a power of two up to "
                          "128, %u found (format the partition again)",
                          spc);
    if (b->reserved == 0)
        return fluid_fail(err, "E-FAT-04",
                          "boot sector: at least 1 reserved sector expected, 0 found (format the "
                          "partition again)");
    if (b->fats < 1 || b->fats > 2)
        return fluid_fail(err, "E-FAT-05",
                          "boot sector: 1 or 2 FATs expected, %u found (format the partition "
                          "again)",
                          b->fats);
    if (b->root_entries == 0 || b->root_entries % ENTRIES_PER_SECTOR)
        return fluid_fail(err, "E-FAT-06",
                          "boot sector: a root directory of whole sectors expected, %u entries "
                          "found (FAT32? format with mkfs.vfat -F 16)",
                          b->root_entries);
    if (b->media != 0xf0 && b->media < 0xf8)
        return fluid_fail(err, "E-FAT-07",
                          "boot sector: media byte f0 or f8 to ff expected, %x found (damaged? "
                          "format the partition again)",
                          b->media);
    return 0;
}

/* The fields together: where the areas lie, and that they lie inside the partition. */
static int lay_out(struct fat16 *fs, const struct bpb *b, uint64_t partition_sectors,
                   struct fluid_error *err) {
    if (b->total == 0 || (b->total16 && b->total32) || b->total > partition_sectors)
        return fluid_fail(err, "E-FAT-08",
                          "boot sector: one count of sectors up to the partition's %llu expected, "
                          "%u (16-bit) and %u (32-bit) found (partition cut off? write the image "
                          "again)",
                          (unsigned long long)partition_sectors, b->total16, b->total32);
    uint32_t root_sectors = b->root_entries / ENTRIES_PER_SECTOR;
    uint32_t root_start = b->reserved + b->fats * b->fat_sectors;
    uint32_t data_start = root_start + root_sectors;
    if (data_start >= b->total)
        return fluid_fail(err, "E-FAT-09",
                          "boot sector: reserved sectors, FATs and root directory expected to fit "
                          "into %u sectors, they take %u (damaged? format the partition again)",
                          b->total, data_start);
    uint32_t clusters = (b->total - data_start) / b->sectors_per_cluster;
    if (clusters < CLUSTERS_MIN || clusters > CLUSTERS_MAX)
        return fluid_fail(err, "E-FAT-10",
                          "FAT16 with 4085 to 65524 clusters expected, %u found (FAT12 or FAT32? "
                          "format with mkfs.vfat -F 16)",
                          clusters);
    uint32_t needed = ((clusters + FAT16_FIRST_CLUSTER) * 2 + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
    if (b->fat_sectors < needed)
        return fluid_fail(err, "E-FAT-11",
                          "boot sector: at least %u sectors per FAT expected for %u clusters, %u "
                          "found (damaged? format the partition again)",
                          needed, clusters, b->fat_sectors);
    fs->sectors_per_cluster = b->sectors_per_cluster;
    fs->cluster_count = clusters;
    fs->root_entries = b->root_entries;
    fs->root_lba = fs->lba + root_start;
    fs->data_lba = fs->lba + data_start;
    return 0;
}

/* Marks where the second FAT differs, so that only files that need those entries are refused. */
static int compare_copy(struct fat16 *fs, uint64_t lba, uint32_t sectors, struct fluid_error *err) {
    uint16_t *copy = kmalloc((size_t)sectors * BLOCK_SECTOR);
    if (!copy)
        return fluid_fail(err, "E-FAT-13",
                          "%u bytes of memory expected for the second FAT, none free (give the "
                          "machine more memory)",
                          sectors * BLOCK_SECTOR);
    int result = block_read(fs->device, lba, sectors, copy, "the second FAT", err);
    for (uint32_t i = FAT16_FIRST_CLUSTER; result == 0 && i < fs->cluster_count + 2; i++) {
        if (fs->fat[i] != copy[i])
            fs->fat[i] = FAT16_COPIES_DIFFER;
    }
    kfree(copy);
    return result;
}

static int read_fat(struct fat16 *fs, const struct bpb *b, struct fluid_error *err) {
    uint32_t bytes = (fs->cluster_count + FAT16_FIRST_CLUSTER) * 2;
    uint32_t sectors = (bytes + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
    uint64_t lba = fs->lba + b->reserved;
    fs->fat = kmalloc((size_t)sectors * BLOCK_SECTOR);
    if (!fs->fat)
        return fluid_fail(err, "E-FAT-13",
                          "%u bytes of memory expected for the FAT, none free (give the machine "
                          "more memory)",
                          sectors * BLOCK_SECTOR);
    if (block_read(fs->device, lba, sectors, fs->fat, "the FAT", err))
        return -1;
    uint32_t first = 0xff00u | b->media;
    if (fs->fat[0] != first || (fs->fat[1] | FAT1_FLAGS) < FAT16_END_OF_CHAIN)
        return fluid_fail(err, "E-FAT-12",
                          "FAT: entries %x and ffff expected at its start, %x and %x found "
                          "(damaged? run fsck.vfat, or write the image again)",
                          first, fs->fat[0], fs->fat[1]);
    return b->fats == 2 ? compare_copy(fs, lba + b->fat_sectors, sectors, err) : 0;
}

int fat16_mount(struct fat16 *fs, struct block_device *device, uint64_t lba, uint64_t sectors,
                struct fluid_error *err) {
    struct bpb b;
    *fs = (struct fat16){.device = device, .lba = lba};
    if (read_bpb(fs, &b, err) || check_fields(&b, err) || lay_out(fs, &b, sectors, err) ||
        read_fat(fs, &b, err)) {
        fat16_unmount(fs);
        return -1;
    }
    return 0;
}

void fat16_unmount(struct fat16 *fs) {
    kfree(fs->fat);
    *fs = (struct fat16){0};
}
