/* disk_host.c - the checked way to a disk (dev/block.c), splitting, and the virtio driver against a
 * device that is played here.
 *
 *     disk_host open KEY=VALUE ...    is there a disk when the device says this of itself?
 *     disk_host fault NAME COUNT      the device does something wrong COUNT times, then no more
 *     disk_host range                 ranges that are not on the disk
 *     disk_host bounce                transfers that reach beyond what a controller can address
 *     disk_host storm SEED COUNT      requests to a device that writes anything anywhere it may
 *
 * The device ends the process when it is asked for what no driver may ask. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/block.h"
#include "dev/block_split.h"
#include "dev/virtio_blk.h"
#include "mm/heap.h"
#include "mm/pages.h"

#define SECTORS 4096u
#define CONFIG_BYTES 16u

enum fault { NONE, SILENT, DEAD, JUMP, BACK, ID, LENGTH, STATUS, NO_STATUS, STORM };
static const char *const fault_names[] = {"none", "silent", "dead",   "jump",      "back",
                                          "id",   "length", "status", "no-status", "storm"};

static struct {
    uint8_t status;
    uint64_t features, accepted;
    uint32_t queue_size, size_max;
    uint64_t capacity;
    bool refuses_features, modern;
    struct virtqueue queue;
    uint16_t taken, index;
    enum fault fault;
    unsigned faults_left, resets, requests;
} device = {.features = VIRTIO_F_VERSION_1 | 1u << 1 | 1u << 9,
            .queue_size = 256,
            .size_max = 65536,
            .capacity = SECTORS,
            .modern = true};
static uint8_t disk[SECTORS * BLOCK_SECTOR];
static uint64_t now_us;
static uint32_t random_state = 1;

static uint32_t next_random(void) {
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("line %d: %s\n", __LINE__, #condition);                                         \
            exit(3);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- what the drivers need of the kernel */

uint64_t time_ms(void) {
    return now_us / 1000;
}

void time_delay_us(uint32_t us) {
    now_us += us * 100; /* so that a minute passes quickly */
}

void *pages_alloc(size_t count, size_t align, uint64_t below) {
    (void)below;
    return aligned_alloc(align, count * PAGE_SIZE);
}

void pages_free(void *first, size_t count) {
    (void)count;
    free(first);
}

void *kzalloc(size_t size) {
    return calloc(1, size);
}

void kfree(void *memory) {
    free(memory);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    (void)format;
    return snprintf(to, size, "virtio0");
}

/* ---- the device */

static uint8_t status(struct virtio *v) {
    (void)v;
    return device.fault == DEAD ? 0x8f : device.status;
}

static void set_status(struct virtio *v, uint8_t value) {
    (void)v;
    if (value == 0) {
        device.resets++;
        device.queue = (struct virtqueue){0};
        device.taken = device.index = 0;
    }
    if (device.refuses_features)
        value &= (uint8_t)~VIRTIO_FEATURES_OK;
    device.status = value;
}

static uint64_t features(struct virtio *v) {
    (void)v;
    return device.features;
}

static void set_features(struct virtio *v, uint64_t bits) {
    (void)v;
    MUST((bits & ~device.features) == 0);
    device.accepted = bits;
}

static uint32_t queue_size(struct virtio *v) {
    (void)v;
    return device.queue_size;
}

static bool set_queue(struct virtio *v, const struct virtqueue *queue) {
    (void)v;
    MUST(queue->size <= device.queue_size && (uintptr_t)queue->descriptors % VIRTQUEUE_ALIGN == 0);
    MUST((uintptr_t)queue->used % VIRTQUEUE_ALIGN == 0);
    device.queue = *queue;
    return true;
}

static bool config(struct virtio *v, uint32_t offset, void *to, uint32_t size) {
    uint8_t bytes[CONFIG_BYTES] = {0};
    (void)v;
    memcpy(bytes, &device.capacity, 8);
    memcpy(bytes + 8, &device.size_max, 4);
    MUST(offset + size <= sizeof bytes);
    memcpy(to, bytes + offset, size);
    return true;
}

/* Carries out the chain at its head; the bytes that it wrote. */
static uint32_t serve(void) {
    volatile struct virtq_descriptor *d = device.queue.descriptors, *head = d;
    uint32_t type, written = 0;
    uint64_t sector;
    MUST(head->bytes == 16 && !(head->flags & 2) && head->flags & 1);
    memcpy(&type, (void *)(uintptr_t)head->address, 4);
    memcpy(&sector, (uint8_t *)(uintptr_t)head->address + 8, 8);
    MUST(type == 0 || type == 1 || (type == 4 && device.accepted >> 9 & 1));
    d = &device.queue.descriptors[head->next];
    if (d->flags & 1) {
        MUST(d->bytes % BLOCK_SECTOR == 0 && d->bytes <= device.size_max);
        MUST(sector <= SECTORS && d->bytes / BLOCK_SECTOR <= SECTORS - sector);
        MUST((type == 0) == !!(d->flags & 2) && type != 4);
        uint8_t *at = disk + sector * BLOCK_SECTOR;
        if (type == 0)
            memcpy((void *)(uintptr_t)d->address, at, written = d->bytes);
        else
            memcpy(at, (void *)(uintptr_t)d->address, d->bytes);
        d = &device.queue.descriptors[d->next];
    }
    MUST(d->flags == 2 && d->bytes == 1);
    *(uint8_t *)(uintptr_t)d->address = device.fault == STATUS ? 1 : 0;
    if (device.fault == NO_STATUS)
        *(uint8_t *)(uintptr_t)d->address = 0xff;
    return written + 1;
}

static void notify(struct virtio *v) {
    struct virtq_used *used = (struct virtq_used *)(uintptr_t)device.queue.used;
    (void)v;
    MUST(device.status & VIRTIO_DRIVER_OK);
    MUST(device.queue.available->index == (uint16_t)(device.taken + 1));
    device.requests++;
    device.taken++;
    if (device.faults_left == 0)
        device.fault = NONE;
    else
        device.faults_left--;
    if (device.fault == SILENT || device.fault == DEAD)
        return;
    unsigned slot = device.index % device.queue.size;
    uint32_t written = serve();
    used->ring[slot].id = device.fault == ID ? 5 : 0;
    used->ring[slot].bytes = device.fault == LENGTH ? 1u << 31 : written;
    device.index++;
    used->index = device.index + (device.fault == JUMP ? 3 : device.fault == BACK ? 0xfffe : 0);
    if (device.fault != STORM || next_random() % 4 == 0)
        return;
    uint8_t *bytes = (uint8_t *)used;
    for (unsigned n = next_random() % 8; n > 0; n--)
        bytes[next_random() % (4 + 8 * device.queue.size)] = (uint8_t)next_random();
}

static struct virtio_transport transport = {.status = status,
                                            .set_status = set_status,
                                            .features = features,
                                            .set_features = set_features,
                                            .queue_size = queue_size,
                                            .set_queue = set_queue,
                                            .notify = notify,
                                            .config = config};

static struct block_device *open_disk(void) {
    transport.modern = device.modern;
    return virtio_blk_add(&(struct virtio){.transport = &transport}) ? block_get(0) : NULL;
}

/* ---- commands */

static void set(const char *word) {
    uint64_t value = strtoull(strchr(word, '=') + 1, NULL, 0);
    if (strncmp(word, "capacity", 8) == 0)
        device.capacity = value;
    else if (strncmp(word, "size_max", 8) == 0)
        device.size_max = (uint32_t)value;
    else if (strncmp(word, "queue", 5) == 0)
        device.queue_size = (uint32_t)value;
    else if (strncmp(word, "features", 8) == 0)
        device.features = value;
    else if (strncmp(word, "refuses", 7) == 0)
        device.refuses_features = value != 0;
    else if (strncmp(word, "modern", 6) == 0)
        device.modern = value != 0;
    else
        device.fault = DEAD;
}

static int say(int result, const struct fluid_error *err) {
    printf("%s%s%s\n", result ? err->code : "ok", result ? " " : "", result ? err->text : "");
    return 0;
}

static void report_open(void) {
    struct block_device *found = open_disk();
    if (!found)
        printf("no disk\n");
    else
        printf("%s %" PRIu64 " sectors%s%s\n", found->name, found->sectors,
               found->write ? "" : ", read-only", found->flush ? ", flush" : "");
}

/* One operation of each kind with the fault, then one without: the disk must be usable again. */
static void faults(const char *name, unsigned count) {
    static uint8_t data[200 * BLOCK_SECTOR];
    struct block_device *d = open_disk();
    struct fluid_error err;
    enum fault fault = NONE;
    MUST(d);
    while (strcmp(fault_names[fault], name) != 0)
        fault++;
    for (unsigned kind = 0; kind < 3; kind++) {
        uint64_t begin = time_ms();
        memset(data, (int)(kind + 1), sizeof data);
        device.fault = fault;
        device.faults_left = count;
        device.requests = 0;
        int result = kind == 0   ? block_write(d, 5, 100, data, "it", &err)
                     : kind == 1 ? block_read(d, 5, 100, data, "it", &err)
                                 : block_flush(d, &err);
        printf("%s ", kind == 0 ? "write" : kind == 1 ? "read" : "flush");
        say(result, &err);
        MUST(time_ms() - begin < 150000 && device.requests <= 3);
        MUST(kind != 1 || result != 0 || data[0] == 1);
    }
    device.fault = NONE;
    memset(data, 7, sizeof data);
    MUST(block_write(d, 4000, 96, data, "it", &err) == 0);
    memset(data, 0, sizeof data);
    MUST(block_read(d, 4000, 96, data, "it", &err) == 0 && data[95 * BLOCK_SECTOR] == 7);
    printf("usable again\n");
}

static void ranges(void) {
    static uint8_t data[2 * BLOCK_SECTOR];
    struct block_device *d = open_disk();
    struct fluid_error err;
    void *end = (void *)(UINTPTR_MAX - BLOCK_SECTOR + 1);
    MUST(d);
    say(block_read(d, SECTORS, 1, data, "it", &err), &err);
    say(block_read(d, SECTORS - 1, 2, data, "it", &err), &err);
    say(block_read(d, UINT64_MAX, 1, data, "it", &err), &err);
    say(block_read(d, UINT64_MAX - 1, UINT32_MAX, data, "it", &err), &err);
    say(block_read(d, 0, 0, data, "it", &err), &err);
    say(block_read(d, 0, 1, data + 1, "it", &err), &err);
    say(block_read(d, 0, 2, end, "it", &err), &err);
    say(block_write(d, SECTORS - 1, 2, data, "it", &err), &err);
    say(block_write(d, 1, UINT32_MAX, data, "it", &err), &err);
    MUST(device.requests == 0);
    say(block_write(d, SECTORS - 1, 1, data, "it", &err), &err);
}

static uint8_t *memory, *reach_end;

static int within_reach(void *driver, bool write, uint64_t lba, uint32_t count, void *buffer) {
    uint32_t bytes = count * BLOCK_SECTOR;
    MUST(count > 0 && count <= *(const uint32_t *)driver);
    MUST((uint8_t *)buffer >= memory && (uint8_t *)buffer + bytes <= reach_end);
    if (write)
        memcpy(disk + lba * BLOCK_SECTOR, buffer, bytes);
    else
        memcpy(buffer, disk + lba * BLOCK_SECTOR, bytes);
    return BLOCK_DONE;
}

/* A buffer below, across and above the limit; the bytes arrive, those beside them stay. */
static void bounce(void) {
    uint32_t most = 1000;
    size_t half = 1u << 20, around = 512;
    memory = calloc(1, 2 * half);
    reach_end = memory + half;
    struct block_reach reach = {most, (uintptr_t)reach_end, memory};
    for (unsigned n = 0; n < 2000; n++) {
        uint32_t count = 1 + next_random() % 1200, bytes = count * BLOCK_SECTOR;
        uint64_t lba = next_random() % (SECTORS - count);
        uint8_t *room = memory + BLOCK_BOUNCE_BYTES + around;
        uint8_t *at = room + next_random() % (2 * half - BLOCK_BOUNCE_BYTES - 2 * around - bytes);
        bool write = next_random() % 2;
        memset(at - around, 0x5a, bytes + 2 * around);
        for (uint32_t i = 0; i < bytes; i++)
            (write ? at : disk + lba * BLOCK_SECTOR)[i] = (uint8_t)(next_random() >> 4);
        MUST(block_split(&reach, within_reach, &most, write, lba, count, at) == BLOCK_DONE);
        MUST(memcmp(at, disk + lba * BLOCK_SECTOR, bytes) == 0);
        MUST(at[-1] == 0x5a && at[bytes] == 0x5a);
    }
    reach.bounce = NULL;
    MUST(block_split(&reach, within_reach, &most, true, 0, 1, reach_end) == BLOCK_FAILED);
    printf("bounced\n");
    free(memory);
}

static void storm(uint32_t seed, unsigned count) {
    static uint8_t data[300 * BLOCK_SECTOR];
    struct block_device *d = open_disk();
    struct fluid_error err;
    unsigned failed = 0;
    MUST(d);
    random_state = seed;
    for (unsigned n = 0; n < count; n++) {
        uint32_t size = 1 + next_random() % 300;
        uint64_t lba = next_random() % (SECTORS - size), begin = time_ms();
        device.fault = STORM;
        device.faults_left = 100;
        int result = n % 3 == 0   ? block_flush(d, &err)
                     : n % 3 == 1 ? block_write(d, lba, size, data, "it", &err)
                                  : block_read(d, lba, size, data, "it", &err);
        MUST(result == 0 || strncmp(err.code, "E-DISK-", 7) == 0);
        MUST(time_ms() - begin < 300000);
        failed += result != 0;
    }
    printf("%u failed\n", failed);
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "open") == 0) {
        for (int i = 2; i < argc; i++)
            set(argv[i]);
        report_open();
    } else if (strcmp(command, "fault") == 0 && argc == 4) {
        faults(argv[2], (unsigned)atoi(argv[3]));
    } else if (strcmp(command, "range") == 0) {
        ranges();
    } else if (strcmp(command, "bounce") == 0) {
        bounce();
    } else if (strcmp(command, "storm") == 0 && argc == 4) {
        storm((uint32_t)atoi(argv[2]), (unsigned)atoi(argv[3]));
    } else {
        return 2;
    }
    return 0;
}
