/* test_disk.c - /selftest disk: random reads, writes and flushes on every scratch disk, each read
 * held against what was written last. By name only: it writes to disks, though to no other. */
#include "console/event.h"
#include "dev/block.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "selftest/scratch.h"
#include "selftest/selftest.h"

#define BUFFER_PAGES ((SCRATCH_COUNT_MAX * BLOCK_SECTOR) / PAGE_SIZE + 2)
#define LOW_END (1ull << 32)
#define LOW_RUNS 32u

struct disk_test {
    struct block_device *disk;
    const struct scratch *scratch;
    uint8_t *buffer;   /* BUFFER_PAGES */
    uint32_t *version; /* (sectors,) the operation that wrote each */
    uint32_t done[3];  /* operations by enum scratch_kind */
    uint64_t moved;    /* sectors */
};

static size_t version_pages(const struct scratch *scratch) {
    return (size_t)(scratch->sectors * sizeof(uint32_t) - 1) / PAGE_SIZE + 1;
}

/* Writes what operation `version` writes, from a buffer that is odd as the operation has it. */
static int write_sectors(struct disk_test *t, const struct scratch_operation *op, uint32_t version,
                         struct fluid_error *err) {
    uint8_t *at = t->buffer + op->offset;
    uint32_t sector[BLOCK_SECTOR / sizeof(uint32_t)];
    for (uint32_t i = 0; i < op->count; i++) {
        scratch_fill(sector, op->lba + i, version, t->scratch->seed);
        memcpy(at + (size_t)i * BLOCK_SECTOR, sector, BLOCK_SECTOR);
        t->version[op->lba + i] = version;
    }
    return block_write(t->disk, op->lba, op->count, at, "a scratch disk", err);
}

static int read_sectors(struct disk_test *t, const struct scratch_operation *op, char *why,
                        size_t size, struct fluid_error *err) {
    uint8_t *at = t->buffer + op->offset;
    uint32_t sector[BLOCK_SECTOR / sizeof(uint32_t)];
    memset(at, 0xa5, (size_t)op->count * BLOCK_SECTOR);
    if (block_read(t->disk, op->lba, op->count, at, "a scratch disk", err))
        return -1;
    for (uint32_t i = 0; i < op->count; i++) {
        memcpy(sector, at + (size_t)i * BLOCK_SECTOR, BLOCK_SECTOR);
        if (scratch_equal(sector, op->lba + i, t->version[op->lba + i], t->scratch->seed))
            continue;
        ksnprintf(why, size, "%s sector %u: the bytes of operation %u expected, found others",
                  t->disk->name, op->lba + i, t->version[op->lba + i]);
        return fluid_fail(err, "", "other bytes");
    }
    return 0;
}

static int run_operations(struct disk_test *t, char *why, size_t size, struct fluid_error *err) {
    uint32_t random = t->scratch->seed;
    for (uint32_t n = 1; n <= t->scratch->operations; n++) {
        struct scratch_operation op = scratch_next(&random, (uint32_t)t->scratch->sectors);
        int result = op.kind == SCRATCH_FLUSH   ? block_flush(t->disk, err)
                     : op.kind == SCRATCH_WRITE ? write_sectors(t, &op, n, err)
                                                : read_sectors(t, &op, why, size, err);
        if (result != 0)
            return -1;
        t->done[op.kind]++;
        t->moved += op.count;
    }
    return block_flush(t->disk, err);
}

/* Takes what is free below 4 GiB, so that the buffer comes to lie above. */
static uint8_t *buffer_above(char *why, size_t size) {
    struct {
        void *first;
        size_t count;
    } low[LOW_RUNS];
    unsigned runs = 0;
    for (size_t count = LOW_END / PAGE_SIZE / 2; runs < LOW_RUNS;) {
        low[runs].first = pages_alloc(count, PAGE_SIZE, LOW_END);
        low[runs].count = count;
        if (low[runs].first)
            runs++;
        else if (count == BUFFER_PAGES)
            break;
        else /* down to the buffer's own size, or it would find room in what is left */
            count = count / 2 > BUFFER_PAGES ? count / 2 : BUFFER_PAGES;
    }
    uint8_t *buffer = pages_alloc(BUFFER_PAGES, PAGE_SIZE, 0);
    while (runs-- > 0)
        pages_free(low[runs].first, low[runs].count);
    if (buffer && (uint64_t)(uintptr_t)buffer >= LOW_END)
        return buffer;
    if (buffer)
        pages_free(buffer, BUFFER_PAGES);
    ksnprintf(why, size, "memory above 4 GiB expected, found none");
    return NULL;
}

static bool test_one(struct disk_test *t, char *why, size_t size) {
    struct fluid_error err = {.code = ""};
    size_t pages = version_pages(t->scratch);
    bool passed = false;
    t->version = pages_alloc(pages, PAGE_SIZE, 0);
    t->buffer = t->scratch->flags & SCRATCH_HIGH ? buffer_above(why, size)
                                                 : pages_alloc(BUFFER_PAGES, PAGE_SIZE, 0);
    if (t->version && t->buffer) {
        memset(t->version, 0, pages * PAGE_SIZE);
        passed = run_operations(t, why, size, &err) == 0;
    } else if (why[0] == '\0') {
        ksnprintf(why, size, "%s: memory for a disk test expected, found too little",
                  t->disk->name);
    }
    if (t->version)
        pages_free(t->version, pages);
    if (t->buffer)
        pages_free(t->buffer, BUFFER_PAGES);
    if (err.code[0] != '\0') {
        report_error(&err);
        ksnprintf(why, size, "%s", err.code);
    }
    kprintf("disk %s: %u reads, %u writes, %u flushes, %llu sectors moved\n", t->disk->name,
            t->done[SCRATCH_READ], t->done[SCRATCH_WRITE], t->done[SCRATCH_FLUSH],
            (unsigned long long)t->moved);
    return passed;
}

static bool test_disk(char *why, size_t size) {
    struct scratch scratch;
    struct fluid_error err;
    unsigned found = 0;
    for (unsigned i = 0; i < block_count(); i++) {
        struct disk_test t = {.disk = block_get(i), .scratch = &scratch};
        if (block_read(t.disk, 0, 1, &scratch, "a scratch disk", &err)) {
            report_warn(&err);
            continue;
        }
        if (!scratch_check(&scratch, t.disk->sectors))
            continue;
        found++;
        if (!test_one(&t, why, size))
            return false;
    }
    if (found > 0)
        return true;
    fluid_fail(&err, "E-DISK-08",
               "a scratch disk expected, found none on %u disks (docs/drivers.md says how to make "
               "one)",
               block_count());
    report_error(&err);
    ksnprintf(why, size, "%s", err.code);
    return false;
}

const struct selftest selftests_disk[] = {
    {"disk", test_disk},
    {NULL, NULL},
};
