/* fat16_host.c - the kernel's FAT16 reader, MBR parser and checked block_read on an image in
 * memory, for test_fat16.py. Reads commands from standard input, one a line, and answers each with
 * lines of which the last begins with "ok" or "error CODE": poke OFFSET HEX      overwrites bytes
 * of the image restore              takes all pokes back fail LBA COUNT       these sectors give
 * device errors from now on; 0 0: none mbr                  type lba sectors of each partition
 *     mount LBA SECTORS
 *     list PATH            name, short name, d or f, size; separated by tabs
 *     read PATH EXTRA      reads into a buffer of size + EXTRA bytes, answers size and hash
 *     dump PATH FILE       writes the content to a file
 *     walk                 lists and reads everything
 *     allocations COUNT    so many succeed from now on
 *     requests             number of device requests since the last time */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/ahci.h"
#include "dev/ide.h"
#include "fs/fat16.h"
#include "mm/heap.h"

#define WALK_DEPTH 4
#define WALK_ENTRIES 4000
#define MAX_POKES 4096
#define COMMAND_SECONDS 60 /* an endless loop ends the process */

static uint8_t *image;
static uint64_t fail_lba, fail_count;
static unsigned long requests;
static struct fat16 fs;
static struct fluid_error err;
static struct {
    uint64_t offset;
    uint8_t old;
} pokes[MAX_POKES];
static unsigned poke_count;

static unsigned long allocations = ULONG_MAX; /* so many succeed */

void *kmalloc(size_t size) {
    if (allocations == 0)
        return NULL;
    allocations--;
    return malloc(size);
}

void kfree(void *memory) {
    free(memory);
}

void ahci_init(void) {
}

void ide_init(void) {
}

int fluid_fail(struct fluid_error *e, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    snprintf(e->code, sizeof(e->code), "%s", code);
    int length = vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    if (length >= (int)sizeof(e->text)) {
        fprintf(stderr, "%s: the sentence has %d bytes\n", code, length);
        abort();
    }
    return -1;
}

static int read_image(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    (void)device;
    requests++;
    if (lba < fail_lba + fail_count && fail_lba < lba + count)
        return -1;
    memcpy(buffer, image + lba * BLOCK_SECTOR, (size_t)count * BLOCK_SECTOR);
    return 0;
}

static void answer(int result) {
    if (result == 0)
        puts("ok");
    else
        printf("error %s %s\n", err.code, err.text);
}

static uint64_t hash(const uint8_t *bytes, size_t n) { /* FNV-1a */
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++)
        h = (h ^ bytes[i]) * 0x100000001b3;
    return h;
}

static uint64_t last_done;

static void progress(uint64_t done, uint64_t total) {
    if (done <= last_done || done > total || done - last_done > 4 << 20) {
        fprintf(stderr, "progress: %" PRIu64 " after %" PRIu64 "\n", done, last_done);
        abort();
    }
    last_done = done;
}

/* The content in a buffer of exactly size + extra bytes, so that ASan sees any overrun. */
static uint8_t *read_file(const char *path, size_t extra, struct fat16_entry *entry) {
    if (fat16_lookup(&fs, path, entry, &err))
        return NULL;
    size_t capacity = entry->size + extra;
    uint8_t *buffer = malloc(capacity ? capacity : 1);
    last_done = 0;
    if (fat16_read(&fs, entry, buffer, capacity, progress, &err) == 0) {
        if (last_done != entry->size)
            abort();
        return buffer;
    }
    free(buffer);
    return NULL;
}

static void read_and_answer(const char *path, size_t extra) {
    struct fat16_entry entry;
    uint8_t *content = read_file(path, extra, &entry);
    if (content)
        printf("ok %u %016" PRIx64 "\n", entry.size, hash(content, entry.size));
    else
        answer(-1);
    free(content);
}

static void dump(const char *path, const char *file) {
    struct fat16_entry entry;
    uint8_t *content = read_file(path, 0, &entry);
    FILE *out = content ? fopen(file, "wb") : NULL;
    if (out) {
        fwrite(content, 1, entry.size, out);
        fclose(out);
    }
    answer(out ? 0 : -1);
    free(content);
}

static bool print_entry(const struct fat16_entry *entry, void *context) {
    (void)context;
    printf("%s\t%s\t%c\t%u\n", entry->name, entry->short_name, entry->directory ? 'd' : 'f',
           entry->size);
    return true;
}

struct collected {
    struct fat16_entry *entries;
    unsigned count;
};

static bool collect(const struct fat16_entry *entry, void *context) {
    struct collected *c = context;
    c->entries[c->count++] = *entry;
    return c->count < WALK_ENTRIES;
}

static void walk(const char *path, unsigned depth) {
    struct collected c = {.entries = calloc(WALK_ENTRIES, sizeof(struct fat16_entry))};
    if (fat16_list(&fs, path, collect, &c, &err))
        printf("%s %s\n", path, err.code);
    for (unsigned i = 0; i < c.count; i++) {
        char full[(FAT16_NAME_MAX + 1) * WALK_DEPTH];
        snprintf(full, sizeof(full), "%s/%s", path, c.entries[i].name);
        if (c.entries[i].directory) {
            if (depth + 1 < WALK_DEPTH)
                walk(full, depth + 1);
            continue;
        }
        struct fat16_entry entry;
        uint8_t *content = read_file(full, 0, &entry);
        printf("%s %s\n", full, content ? "read" : err.code);
        free(content);
    }
    free(c.entries);
}

static int poke(uint64_t size, uint64_t offset, const char *hex) {
    for (; hex[0] && hex[1]; hex += 2, offset++) {
        unsigned value;
        if (offset >= size || poke_count == MAX_POKES || sscanf(hex, "%2x", &value) != 1)
            return -1;
        pokes[poke_count].offset = offset;
        pokes[poke_count++].old = image[offset];
        image[offset] = (uint8_t)value;
    }
    return 0;
}

static void restore(void) {
    while (poke_count > 0) {
        poke_count--;
        image[pokes[poke_count].offset] = pokes[poke_count].old;
    }
}

static void print_partitions(struct block_device *disk) {
    struct partition partitions[4];
    int result = mbr_read(disk, partitions, &err);
    for (unsigned i = 0; result == 0 && i < 4; i++)
        printf("%x %" PRIu64 " %" PRIu64 "\n", partitions[i].type, partitions[i].lba,
               partitions[i].sectors);
    answer(result);
}

int main(int argc, char **argv) {
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    struct stat info;
    if (file < 0 || fstat(file, &info))
        return 2;
    size_t size = (size_t)info.st_size;
    image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    struct block_device disk = {
        .name = "image", .sectors = size / BLOCK_SECTOR, .read = read_image};
    static char line[1 << 17], word[16], one[1 << 16], two[1 << 16];
    while (fgets(line, sizeof(line), stdin)) {
        one[0] = two[0] = 0;
        alarm(COMMAND_SECONDS);
        /* Arguments are separated by tabs: names may contain spaces. */
        sscanf(line, "%15[^\t\n]\t%65535[^\t\n]\t%65535[^\t\n]", word, one, two);
        uint64_t number = strtoull(one, NULL, 10), number2 = strtoull(two, NULL, 10);
        if (!strcmp(word, "poke")) {
            answer(poke(size, number, two));
        } else if (!strcmp(word, "restore")) {
            restore();
            answer(0);
        } else if (!strcmp(word, "fail")) {
            fail_lba = number;
            fail_count = number2;
            answer(0);
        } else if (!strcmp(word, "allocations")) {
            allocations = number;
            answer(0);
        } else if (!strcmp(word, "mbr")) {
            print_partitions(&disk);
        } else if (!strcmp(word, "mount")) {
            fat16_unmount(&fs);
            answer(fat16_mount(&fs, &disk, number, number2, &err));
        } else if (!strcmp(word, "list")) {
            answer(fat16_list(&fs, strcmp(one, "-") ? one : "", print_entry, NULL, &err));
        } else if (!strcmp(word, "read")) {
            read_and_answer(one, number2);
        } else if (!strcmp(word, "dump")) {
            dump(one, two);
        } else if (!strcmp(word, "walk")) {
            walk("", 0);
            answer(0);
        } else if (!strcmp(word, "requests")) {
            printf("ok %lu\n", requests);
            requests = 0;
        } else {
            return 2;
        }
        fflush(stdout);
        alarm(0);
    }
    fat16_unmount(&fs);
    return 0;
}
