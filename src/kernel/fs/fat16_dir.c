/* fat16_dir.c - directories: walking their entries, and paths. fatgen103, "FAT Directory
 * Structure". */
#include "fs/fat16_internal.h"
#include "lib/string.h"

#define DIR_ATTR 11
#define DIR_CLUSTER 26
#define DIR_SIZE 28
#define DIR_END 0x00     /* first byte: this entry and all behind it are free */
#define DIR_DELETED 0xe5 /* first byte: this entry is free */

typedef bool visit_fn(const struct fat16_entry *entry, void *context);

/* State of a walk that goes sector by sector. */
struct walk {
    visit_fn *visit;
    void *context;
    struct fat16_long_name long_name;
    bool done;
};

static bool is_root(const struct fat16_entry *directory) {
    return directory->first_cluster == 0;
}

static void visit_entry(struct walk *w, const uint8_t *raw) {
    uint8_t attributes = raw[DIR_ATTR];
    if (raw[0] == DIR_END) {
        w->done = true;
        return;
    }
    if (raw[0] == DIR_DELETED) {
        w->long_name.parts = 0;
        return;
    }
    if ((attributes & FAT16_ATTR_LONG_NAME_MASK) == FAT16_ATTR_LONG_NAME) {
        fat16_long_name_add(&w->long_name, raw);
        return;
    }
    if (attributes & FAT16_ATTR_VOLUME || raw[0] == '.') { /* label; "." and ".." */
        w->long_name.parts = 0;
        return;
    }
    struct fat16_entry entry;
    fat16_take_names(&w->long_name, raw, &entry);
    entry.directory = attributes & FAT16_ATTR_DIRECTORY;
    entry.size = entry.directory ? 0 : fat16_u32(raw + DIR_SIZE);
    entry.first_cluster = fat16_u16(raw + DIR_CLUSTER);
    if (!w->visit(&entry, w->context))
        w->done = true;
}

/* Visits the entries (at most limit) in sectors that follow each other on the disk. */
static int walk_sectors(struct fat16 *fs, struct walk *w, uint64_t lba, uint32_t limit,
                        const char *name, struct fluid_error *err) {
    _Alignas(4) uint8_t sector[BLOCK_SECTOR];
    const uint32_t per_sector = BLOCK_SECTOR / FAT16_DIR_ENTRY;
    for (uint32_t i = 0; i < limit && !w->done; i++) {
        if (i % per_sector == 0 &&
            block_read(fs->device, lba + i / per_sector, 1, sector, name, err))
            return -1;
        visit_entry(w, sector + i % per_sector * FAT16_DIR_ENTRY);
    }
    return 0;
}

/* A sub-directory begins with "." that points to itself; else it is not one, or the areas of the
 * file system are not where the boot sector says. */
static int check_self(struct fat16 *fs, const struct fat16_entry *directory,
                      struct fluid_error *err) {
    _Alignas(4) uint8_t sector[BLOCK_SECTOR];
    if (block_read(fs->device, fat16_cluster_lba(fs, directory->first_cluster), 1, sector,
                   directory->name, err))
        return -1;
    uint16_t self = fat16_u16(sector + DIR_CLUSTER);
    if (memcmp(sector, ".          ", FAT16_SHORT_NAME) == 0 && self == directory->first_cluster)
        return 0;
    return fluid_fail(err, "E-FAT-21",
                      "directory %.60s: an entry \".\" for cluster %u expected at its start, "
                      "cluster %u or another name found (run fsck.vfat, or write the image again)",
                      directory->name, directory->first_cluster, self);
}

static int walk_directory(struct fat16 *fs, const struct fat16_entry *directory, visit_fn *visit,
                          void *context, struct fluid_error *err) {
    struct walk w = {.visit = visit, .context = context};
    if (is_root(directory))
        return walk_sectors(fs, &w, fs->root_lba, fs->root_entries, "the root directory", err);
    uint32_t clusters;
    if (fat16_check_chain(fs, directory->first_cluster, &clusters, directory->name, err) ||
        check_self(fs, directory, err))
        return -1;
    uint32_t per_cluster = fs->sectors_per_cluster * (BLOCK_SECTOR / FAT16_DIR_ENTRY);
    uint16_t cluster = directory->first_cluster;
    for (; clusters > 0 && !w.done; clusters--, cluster = fs->fat[cluster]) {
        if (walk_sectors(fs, &w, fat16_cluster_lba(fs, cluster), per_cluster, directory->name, err))
            return -1;
    }
    return 0;
}

static char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_name(const char *name, const char *wanted, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (name[i] == 0 || ascii_lower(name[i]) != ascii_lower(wanted[i]))
            return false;
    }
    return name[length] == 0;
}

struct search {
    const char *wanted; /* one component of a path, not terminated */
    size_t length;
    bool found;
    struct fat16_entry *entry;
};

static bool compare_entry(const struct fat16_entry *entry, void *context) {
    struct search *s = context;
    if (!same_name(entry->name, s->wanted, s->length) &&
        !same_name(entry->short_name, s->wanted, s->length))
        return true;
    *s->entry = *entry;
    s->found = true;
    return false;
}

static int find_component(struct fat16 *fs, struct fat16_entry *at, const char *wanted,
                          size_t length, const char *path, struct fluid_error *err) {
    struct fat16_entry found;
    struct search s = {.wanted = wanted, .length = length, .entry = &found};
    if (walk_directory(fs, at, compare_entry, &s, err))
        return -1;
    if (!s.found)
        return fluid_fail(err, "E-FAT-18",
                          "file %.80s: expected in the FAT16 partition, no such name found (copy "
                          "it there, for example with mcopy)",
                          path);
    if (found.directory &&
        !fat16_cluster_valid(fs, found.first_cluster)) /* 0 would mean the root */
        return fluid_fail(err, "E-FAT-14",
                          "directory %.60s: clusters 2 to %u expected, %u found (run fsck.vfat, "
                          "or write the image again)",
                          found.name, fs->cluster_count + 1, found.first_cluster);
    *at = found;
    return 0;
}

int fat16_lookup(struct fat16 *fs, const char *path, struct fat16_entry *entry,
                 struct fluid_error *err) {
    struct fat16_entry at = {.directory = true}; /* the root */
    for (const char *p = path; *p;) {
        size_t length = 0;
        while (p[length] && p[length] != '/')
            length++;
        if (*p != '/' && find_component(fs, &at, p, length, path, err))
            return -1;
        p += length;
        if (*p == '/' && !at.directory)
            return fluid_fail(err, "E-FAT-19",
                              "%.60s: a directory expected before '/' in %.60s, a file found "
                              "(correct the path)",
                              at.name, path);
        while (*p == '/')
            p++;
    }
    *entry = at;
    return 0;
}

int fat16_list(struct fat16 *fs, const char *path, visit_fn *visit, void *context,
               struct fluid_error *err) {
    struct fat16_entry directory;
    if (fat16_lookup(fs, path, &directory, err))
        return -1;
    if (!directory.directory)
        return fluid_fail(err, "E-FAT-19",
                          "%.60s: a directory expected, a file found (list the directory that it "
                          "is in)",
                          directory.name);
    return walk_directory(fs, &directory, visit, context, err);
}
