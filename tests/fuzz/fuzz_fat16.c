/* fuzz_fat16.c - any content of a FAT16 partition: refused with a code, or files and folders that
 * are listed, found by the names that were listed, and read within their bounds.
 *
 * An input is the sectors of a small file system that matter, in the order of `placed`; the rest of
 * the disk is zero. The device, the heap and the checks of reading are those of fat16_host.c. */
#define main fat16_host_main
#include "../host/fat16_host.c"
#undef main

#include "console/utf8.h"
#include "fuzz.h"

#define DISK_SECTORS 4400u /* a few more than the smallest FAT16 needs */
#define FAT_SECTORS                                                                                \
    17u /* make_corpus.py: one reserved sector, two FATs, one sector of root entries */
#define ROOT (1 + 2 * FAT_SECTORS)
#define DEPTH 3
#define VISITS 64 /* entries looked at per input: a folder may contain itself */

static const uint32_t placed[] = {
    0, 1, 1 + FAT_SECTORS, ROOT, ROOT + 1, ROOT + 2, ROOT + 3, ROOT + 4, ROOT + 5,
};
#define PLACED (sizeof placed / sizeof *placed)

static struct block_device disk = {.name = "fuzz", .sectors = DISK_SECTORS, .read = read_image};
static unsigned visits;

struct folder {
    const char *path;
    unsigned depth;
};

static void check_name(const char *name, size_t size) {
    size_t n = strnlen(name, size);
    REQUIRE(n < size && utf8_valid(name, n));
    for (size_t i = 0; i < n; i++)
        REQUIRE((unsigned char)name[i] >= ' ' && name[i] != '/' && name[i] != 0x7f);
}

static void read_whole(const char *path) {
    struct fat16_entry entry;
    if (fat16_lookup(&fs, path, &entry, &err) != 0) {
        fuzz_check_error(&err);
        return;
    }
    if (entry.directory)
        return; /* another entry of this name comes first */
    if (entry.size > DISK_SECTORS * BLOCK_SECTOR) {
        uint8_t small[BLOCK_SECTOR];
        REQUIRE(fat16_read(&fs, &entry, small, sizeof small, NULL, &err) != 0);
        fuzz_check_error(&err);
        return;
    }
    uint8_t *content = read_file(path, entry.size % 3 == 0 ? BLOCK_SECTOR : 0, &entry);
    if (content == NULL)
        fuzz_check_error(&err);
    free(content);
}

static void list_folder(const char *path, unsigned depth);

static bool visit(const struct fat16_entry *entry, void *context) {
    const struct folder *in = context;
    struct fat16_entry found;
    char path[(FAT16_NAME_MAX + 1) * (DEPTH + 1)];
    check_name(entry->name, sizeof entry->name);
    check_name(entry->short_name, sizeof entry->short_name);
    snprintf(path, sizeof path, "%s/%s", in->path, entry->name);
    if (entry->name[0] != 0 && fat16_lookup(&fs, path, &found, &err) != 0)
        REQUIRE(strcmp(err.code, "E-FAT-18") != 0); /* what is listed is found */
    if (!entry->directory)
        read_whole(path);
    else if (in->depth < DEPTH)
        list_folder(path, in->depth + 1);
    return ++visits < VISITS;
}

static void list_folder(const char *path, unsigned depth) {
    struct folder folder = {path, depth};
    if (fat16_list(&fs, path, visit, &folder, &err) != 0)
        fuzz_check_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t sectors[DISK_SECTORS * BLOCK_SECTOR];
    image = sectors;
    for (size_t i = 0; i < PLACED; i++) {
        uint8_t *to = sectors + placed[i] * BLOCK_SECTOR;
        size_t at = i * BLOCK_SECTOR, n = at < size ? size - at : 0;
        memset(to, 0, BLOCK_SECTOR);
        if (n > 0)
            memcpy(to, data + at, n < BLOCK_SECTOR ? n : BLOCK_SECTOR);
    }
    visits = 0;
    if (fat16_mount(&fs, &disk, 0, DISK_SECTORS, &err) == 0) {
        list_folder("", 0);
        read_whole("MODEL.GGUF");
        fat16_unmount(&fs);
    } else {
        fuzz_check_error(&err);
    }
    return 0;
}
