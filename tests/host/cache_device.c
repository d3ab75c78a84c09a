/* cache_device.c - see cache_device.h. */
#include "cache_device.h"

#include <stdlib.h>
#include <string.h>

static void record(struct memory_disk *d, uint32_t lba, const uint8_t *data) {
    if (d->event_count == d->event_room) {
        d->event_room = d->event_room * 2 + 64;
        d->events = realloc(d->events, d->event_room * sizeof *d->events);
        if (!d->events)
            abort();
    }
    struct disk_event *event = &d->events[d->event_count++];
    event->lba = lba;
    if (data)
        memcpy(event->data, data, BLOCK_SECTOR);
}

static int read_sectors(struct block_device *block, uint64_t lba, uint32_t count, void *buffer) {
    const struct memory_disk *d = block->driver;
    if (lba < d->bad_lba + d->bad_count && d->bad_lba < lba + count)
        return BLOCK_FAILED;
    memcpy(buffer, d->image + lba * BLOCK_SECTOR, (size_t)count * BLOCK_SECTOR);
    return BLOCK_DONE;
}

static int write_sectors(struct block_device *block, uint64_t lba, uint32_t count,
                         const void *buffer) {
    struct memory_disk *d = block->driver;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *from = (const uint8_t *)buffer + (size_t)i * BLOCK_SECTOR;
        if (d->write_faults == 0)
            return BLOCK_FAILED;
        d->write_faults -= d->write_faults > 0;
        record(d, (uint32_t)lba + i, from);
        memcpy(d->image + (lba + i) * BLOCK_SECTOR, from, BLOCK_SECTOR);
    }
    return BLOCK_DONE;
}

static int flush(struct block_device *block) {
    struct memory_disk *d = block->driver;
    if (d->flush_fails)
        return BLOCK_FAILED;
    record(d, DISK_FLUSH, NULL);
    return BLOCK_DONE;
}

void disk_set_writable(struct memory_disk *d, bool writable) {
    d->block.write = writable ? write_sectors : NULL;
}

void disk_make(struct memory_disk *d, uint64_t sectors) {
    *d = (struct memory_disk){
        .block = {.name = "test0", .sectors = sectors, .read = read_sectors, .flush = flush},
        .image = calloc(sectors ? sectors : 1, BLOCK_SECTOR),
        .write_faults = -1,
    };
    d->block.driver = d;
    disk_set_writable(d, true);
}

void disk_free(struct memory_disk *d) {
    free(d->image);
    free(d->events);
}

uint64_t splitmix(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
