/* cache_host.c - the kernel's cache on a disk in memory, for cache_driver.py. Reads commands from
 * standard input, one a line, words separated by tabs, and answers each with lines of which the
 * last begins with "ok" or "error CODE". The argument is the number of the partition's sectors;
 * before it lie PARTITION sectors that nothing may touch.
 *
 *     load FILE, save FILE     the partition
 *
 *     events FILE              what was written, then forgotten
 *
 *     mount LIMIT SEED         write limit; of the random numbers
 *
 *     put KIND KEY BENEFIT HEX, note KIND KEY BENEFIT, remove KIND KEY, quarantine KIND KEY
 *
 *     get KIND KEY LESS        into a buffer that is so many bytes too small
 *
 *     sync, clear
 *
 *     list                     kind, key, LBA, size, last use, benefit, quarantined, dirty
 *
 *     state                    empty, read-only, skipped, rejected, evicted, changes of arenas,
 *                              clock, bytes written
 *
 *     verify                   records, bad superblocks, bad records, damaged end
 *
 *     fail WRITES FLUSH        after so many sectors, -1: never; whether flushes fail
 *
 *     bad LBA COUNT            sectors that cannot be read
 *
 *     flips LBA COUNT          flips each bit there: how many, unnoticed ones, wrong entries
 *
 *     writable YES
 *
 *     key ABI MASK XCR0 TOOLCHAIN FLAGS BITCODE PLAN ROWS COLS QUANT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "cache/cache_key.h"
#include "cache_device.h"
#include "cache_flips.h"

#define PARTITION 5u
#define WORDS 12

static struct memory_disk disk;
static struct cache cache;
static struct fluid_error err;
static uint64_t seed, sectors;

static uint64_t random_number(void) {
    return splitmix(&seed);
}

static void answer(int result) {
    if (result == 0)
        puts("ok");
    else
        printf("error %s %s\n", err.code, err.text);
}

static size_t from_hex(const char *hex, uint8_t *to, size_t room) {
    size_t n = 0;
    unsigned value;
    for (; hex[0] && hex[1] && n < room && sscanf(hex, "%2x", &value) == 1; hex += 2)
        to[n++] = (uint8_t)value;
    return n;
}

static void print_hex(const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("%02x", bytes[i]);
}

static void file(const char *path, const char *mode, void *bytes, size_t size) {
    FILE *f = fopen(path, mode);
    if (!f || (*mode == 'r' ? fread(bytes, 1, size, f) : fwrite(bytes, 1, size, f)) != size)
        abort();
    fclose(f);
}

static uint64_t number(const char *text) {
    return strtoull(text, NULL, 0);
}

static void put(uint16_t kind, const uint8_t *key, uint64_t benefit, const char *hex) {
    size_t size = strlen(hex) / 2;
    uint8_t *data = malloc(size ? size : 1); /* exact, so that ASan sees any overrun */
    from_hex(hex, data, size);
    flips_put(kind, key, data, size);
    answer(cache_put(&cache, kind, key, data, size, benefit, &err));
    free(data);
}

static void get(uint16_t kind, const uint8_t *key, uint32_t less) {
    const struct cache_row *row = cache_find(&cache, kind, key);
    uint32_t size = row ? row->size : 0;
    size -= less < size ? less : size;
    uint8_t *data = malloc(size ? size : 1);
    int result = cache_read(&cache, kind, key, data, size, &size, &err);
    if (result == 0) {
        printf("ok ");
        print_hex(data, size);
        printf("\n");
    } else {
        answer(-1);
    }
    free(data);
}

static void list(void) {
    for (uint32_t i = 0; i < cache.count; i++) {
        const struct cache_row *r = &cache.rows[i];
        printf("%u ", r->kind);
        print_hex(r->key, sizeof r->key);
        printf(" %u %u %" PRIu64 " %" PRIu64 " %d %d\n", r->lba, r->size, r->last_use, r->benefit,
               r->quarantined, r->dirty);
    }
    puts("ok");
}

static void make_key(char **w) {
    struct cache_key_fields f = {
        .kernel_abi = (uint32_t)number(w[1]),
        .cpu_mask = number(w[2]),
        .xcr0 = number(w[3]),
        .toolchain = w[4],
        .flags = w[5],
        .plan = w[7],
        .rows = (uint32_t)number(w[8]),
        .cols = (uint32_t)number(w[9]),
        .quant = w[10],
    };
    uint8_t key[CACHE_KEY_SIZE];
    from_hex(w[6], f.bitcode, sizeof f.bitcode);
    cache_key(&f, key);
    printf("ok ");
    print_hex(key, sizeof key);
    printf("\n");
}

static void on_disk(char **w) {
    uint8_t *partition = disk.image + PARTITION * BLOCK_SECTOR;
    if (!strcmp(w[0], "load")) {
        file(w[1], "rb", partition, sectors * BLOCK_SECTOR);
    } else if (!strcmp(w[0], "save")) {
        file(w[1], "wb", partition, sectors * BLOCK_SECTOR);
    } else if (!strcmp(w[0], "events")) {
        for (size_t i = 0; i < disk.event_count; i++)
            if (disk.events[i].lba != DISK_FLUSH)
                disk.events[i].lba -= PARTITION;
        file(w[1], "wb", disk.events, disk.event_count * sizeof *disk.events);
        disk.event_count = 0;
    } else if (!strcmp(w[0], "fail")) {
        disk.write_faults = strtol(w[1], NULL, 10);
        disk.flush_fails = number(w[2]);
    } else if (!strcmp(w[0], "bad")) {
        disk.bad_lba = number(w[1]) + PARTITION;
        disk.bad_count = number(w[2]);
    } else if (!strcmp(w[0], "flips")) {
        struct flips f =
            flip_all(&cache, partition, (uint32_t)number(w[1]), (uint32_t)number(w[2]));
        printf("%lu %lu %lu\n", f.flipped, f.unnoticed, f.wrong);
    } else if (!strcmp(w[0], "writable")) {
        disk_set_writable(&disk, number(w[1]));
    } else {
        exit(2);
    }
    puts("ok");
}

static void run(char **w) {
    uint8_t key[CACHE_KEY_SIZE] = {0};
    uint16_t kind = (uint16_t)number(w[1]);
    from_hex(w[2], key, sizeof key);
    if (!strcmp(w[0], "mount")) {
        seed = number(w[2]);
        answer(cache_mount(&cache, &disk.block, PARTITION, sectors, random_number, number(w[1]),
                           &err));
    } else if (!strcmp(w[0], "put")) {
        put(kind, key, number(w[3]), w[4]);
    } else if (!strcmp(w[0], "get")) {
        get(kind, key, (uint32_t)number(w[3]));
    } else if (!strcmp(w[0], "note")) {
        cache_note(&cache, kind, key, number(w[3]));
        puts("ok");
    } else if (!strcmp(w[0], "remove")) {
        answer(cache_remove(&cache, kind, key, &err));
    } else if (!strcmp(w[0], "quarantine")) {
        answer(cache_quarantine(&cache, kind, key, &err));
    } else if (!strcmp(w[0], "sync")) {
        answer(cache_sync(&cache, &err));
    } else if (!strcmp(w[0], "clear")) {
        answer(cache_clear(&cache, &err));
    } else if (!strcmp(w[0], "list")) {
        list();
    } else if (!strcmp(w[0], "state")) {
        printf("ok %d %d %u %u %u %u %" PRIu64 " %" PRIu64 "\n", cache.empty, cache.read_only,
               cache.skipped, cache.rejected, cache.evicted, cache.compactions, cache.clock,
               cache.written);
    } else if (!strcmp(w[0], "verify")) {
        struct cache_findings f = cache_verify(&cache);
        printf("ok %u %u %u %d\n", f.records, f.bad_superblocks, f.bad_records, f.damaged_end);
    } else if (!strcmp(w[0], "key")) {
        make_key(w);
    } else {
        on_disk(w);
    }
}

int main(int argc, char **argv) {
    char *line = NULL;
    size_t room = 0;
    if (argc != 2)
        return 2;
    sectors = number(argv[1]);
    disk_make(&disk, sectors + PARTITION);
    while (getline(&line, &room, stdin) > 0) {
        char *words[WORDS], *rest = line;
        line[strcspn(line, "\n")] = '\0';
        for (unsigned i = 0; i < WORDS; i++) {
            char *word = strsep(&rest, "\t");
            words[i] = word ? word : "";
        }
        run(words);
        fflush(stdout);
    }
    for (size_t i = 0; i < PARTITION * BLOCK_SECTOR; i++)
        if (disk.image[i])
            abort(); /* something was written before the partition */
    free(line);
    disk_free(&disk);
    return 0;
}
