/* virtio_blk.c - requests to a virtio disk, one at a time, by polling. Section numbers: virtio 1.1.
 */
#include "dev/virtio_blk.h"

#include "arch/x86/time.h"
#include "dev/ata.h"
#include "dev/block_split.h"
#include "dev/block.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "mm/pages.h"

/* Features and configuration, sections 5.2.3 and 5.2.4. */
#define F_SIZE_MAX (1ull << 1)
#define F_READ_ONLY (1ull << 5)
#define F_FLUSH (1ull << 9)
#define WANTED (F_SIZE_MAX | F_READ_ONLY | F_FLUSH)
#define CONFIG_CAPACITY 0
#define CONFIG_SIZE_MAX 8

#define TYPE_READ 0u
#define TYPE_WRITE 1u
#define TYPE_FLUSH 4u
#define STATUS_OK 0
#define STATUS_NONE 0xff /* not written yet */

#define REQUEST_BYTES (1u << 20) /* most that one request moves */
#define QUEUE_SIZE 16u           /* of a device that lets the driver choose */
#define RING_END (1ull << 32)    /* legacy devices have 44 bits of its address */
#define ATTEMPTS 2u

struct request { /* section 5.2.6, without the data */
    uint32_t type, reserved;
    uint64_t sector;
    volatile uint8_t status;
};
#define HEADER_BYTES 16u

struct virtio_disk {
    struct virtio virtio;
    struct virtqueue queue;
    void *ring; /* ring_pages */
    size_t ring_pages;
    uint16_t queue_size;
    struct request *request;
    uint64_t features;
    uint32_t most; /* sectors of one request */
    bool live;     /* the device runs and has the queue */
};

static unsigned disk_count;

/* From any state to running. After a reset the device has forgotten the queue. */
static bool start(struct virtio_disk *d) {
    uint64_t features;
    d->live = false;
    if (!virtio_begin(&d->virtio, WANTED, &features) || features != d->features)
        return false;
    virtqueue_init(&d->queue, d->ring, d->queue_size);
    d->live = virtio_start(&d->virtio, &d->queue);
    return d->live;
}

static int wait_end(struct virtio_disk *d, uint32_t ms) {
    uint64_t begin = time_ms();
    for (;;) {
        enum virtqueue_state state = virtqueue_poll(&d->queue);
        if (state == VIRTQUEUE_ENDED)
            break;
        if (state == VIRTQUEUE_BROKEN) {
            start(d);
            return BLOCK_FAILED;
        }
        if (time_ms() - begin > ms) {
            start(d); /* the reset ends what is under way */
            return BLOCK_TIMED_OUT;
        }
        time_delay_us(ATA_POLL_US);
    }
    compiler_barrier();
    return d->request->status == STATUS_OK ? BLOCK_DONE : BLOCK_FAILED;
}

static int run_once(struct virtio_disk *d, uint32_t type, uint64_t lba, void *data,
                    uint32_t bytes) {
    if (!d->live && !start(d))
        return BLOCK_TIMED_OUT;
    *d->request = (struct request){.type = type, .sector = lba, .status = STATUS_NONE};
    struct virtq_buffer buffers[3] = {{(uintptr_t)d->request, HEADER_BYTES, false}};
    unsigned count = 1;
    if (bytes > 0)
        buffers[count++] = (struct virtq_buffer){(uintptr_t)data, bytes, type == TYPE_READ};
    buffers[count++] = (struct virtq_buffer){(uintptr_t)&d->request->status, 1, true};
    virtqueue_submit(&d->queue, buffers, count);
    d->virtio.transport->notify(&d->virtio);
    return wait_end(d, type == TYPE_FLUSH ? ATA_FLUSH_MS : ATA_COMMAND_MS);
}

static int run(void *driver, bool write, uint64_t lba, uint32_t count, void *buffer) {
    uint32_t type = write ? TYPE_WRITE : TYPE_READ;
    int result = BLOCK_FAILED;
    for (unsigned i = 0; i < ATTEMPTS && result != BLOCK_DONE; i++)
        result = run_once(driver, type, lba, buffer, count * BLOCK_SECTOR);
    return result;
}

static int virtio_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    struct virtio_disk *d = device->driver;
    const struct block_reach reach = {.most = d->most}; /* addresses have 64 bits */
    return block_split(&reach, run, d, false, lba, count, buffer);
}

static int virtio_write(struct block_device *device, uint64_t lba, uint32_t count,
                        const void *buffer) {
    struct virtio_disk *d = device->driver;
    const struct block_reach reach = {.most = d->most};
    return block_split(&reach, run, d, true, lba, count, (void *)(uintptr_t)buffer);
}

/* Tried once, as with the other drivers: only the first flush tells what was lost. */
static int virtio_flush(struct block_device *device) {
    return run_once(device->driver, TYPE_FLUSH, 0, NULL, 0);
}

/* Agrees on features, reads the configuration, makes the queue. */
static bool open(struct virtio_disk *d, uint64_t *sectors) {
    const struct virtio_transport *t = d->virtio.transport;
    uint32_t size, size_max = REQUEST_BYTES;
    if (!virtio_begin(&d->virtio, WANTED, &d->features) ||
        !t->config(&d->virtio, CONFIG_CAPACITY, sectors, sizeof(*sectors)) || *sectors == 0)
        return false;
    if (d->features & F_SIZE_MAX &&
        !t->config(&d->virtio, CONFIG_SIZE_MAX, &size_max, sizeof(size_max)))
        return false;
    d->most = (size_max < REQUEST_BYTES ? size_max : REQUEST_BYTES) / BLOCK_SECTOR;
    size = t->queue_size(&d->virtio);
    if (d->most == 0 || !virtqueue_size_valid(size))
        return false;
    d->queue_size = (uint16_t)(t->modern && size > QUEUE_SIZE ? QUEUE_SIZE : size);
    d->ring_pages = (virtqueue_bytes(d->queue_size) - 1) / PAGE_SIZE + 1;
    d->ring = pages_alloc(d->ring_pages, PAGE_SIZE, RING_END);
    d->request = pages_alloc(1, PAGE_SIZE, RING_END);
    return d->ring && d->request && start(d);
}

/* Memory that the device may still write must not be used for anything else. */
static void close(struct virtio_disk *d) {
    bool silent = virtio_reset(&d->virtio);
    if (silent && d->ring)
        pages_free(d->ring, d->ring_pages);
    if (silent && d->request)
        pages_free(d->request, 1);
    kfree(d);
}

bool virtio_blk_add(const struct virtio *found) {
    struct virtio_disk *d = kzalloc(sizeof(*d));
    struct block_device disk = {.read = virtio_read, .driver = d};
    if (!d)
        return false;
    d->virtio = *found;
    if (open(d, &disk.sectors)) {
        disk.write = d->features & F_READ_ONLY ? NULL : virtio_write;
        disk.flush = d->features & F_FLUSH ? virtio_flush : NULL;
        ksnprintf(disk.name, sizeof(disk.name), "virtio%u", disk_count);
        if (block_add(&disk)) {
            disk_count++;
            return true;
        }
    }
    close(d);
    return false;
}
