/* virtqueue.c - the two rings. Section numbers: virtio 1.1. */
#include "dev/virtqueue.h"

#include "dev/ata.h"
#include "lib/string.h"

#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_WRITE 2u
#define AVAILABLE_NO_INTERRUPT 1u

static size_t used_offset(uint16_t size) {
    size_t bytes = size * sizeof(struct virtq_descriptor) + offsetof(struct virtq_available, ring) +
                   (size + 1) * sizeof(uint16_t);
    return (bytes + VIRTQUEUE_ALIGN - 1) / VIRTQUEUE_ALIGN * VIRTQUEUE_ALIGN;
}

bool virtqueue_size_valid(uint32_t size) {
    return size >= VIRTQUEUE_SIZE_MIN && size <= VIRTQUEUE_SIZE_MAX && (size & (size - 1)) == 0;
}

size_t virtqueue_bytes(uint16_t size) {
    struct virtq_used *used = NULL;
    return used_offset(size) + offsetof(struct virtq_used, ring) + size * sizeof(used->ring[0]) +
           sizeof(uint16_t);
}

void virtqueue_init(struct virtqueue *queue, void *memory, uint16_t size) {
    uint8_t *bytes = memory;
    memset(memory, 0, virtqueue_bytes(size));
    *queue = (struct virtqueue){
        .size = size,
        .descriptors = memory,
        .available = (void *)(bytes + size * sizeof(struct virtq_descriptor)),
        .used = (void *)(bytes + used_offset(size)),
    };
    queue->available->flags = AVAILABLE_NO_INTERRUPT;
}

/* The chain is always that of descriptors 0, 1, ...: no other request is under way. */
void virtqueue_submit(struct virtqueue *queue, const struct virtq_buffer *buffers, unsigned count) {
    queue->writable = 0;
    for (unsigned i = 0; i < count; i++) {
        volatile struct virtq_descriptor *d = &queue->descriptors[i];
        d->address = buffers[i].address;
        d->bytes = buffers[i].bytes;
        d->flags = (buffers[i].device_writes ? DESCRIPTOR_WRITE : 0) |
                   (i + 1 < count ? DESCRIPTOR_NEXT : 0);
        d->next = (uint16_t)(i + 1);
        queue->writable += buffers[i].device_writes ? buffers[i].bytes : 0;
    }
    queue->available->ring[queue->submitted % queue->size] = 0;
    queue->submitted++;
    compiler_barrier(); /* x86 keeps the order of stores (section 2.6.13.2) */
    queue->available->index = queue->submitted;
}

enum virtqueue_state virtqueue_poll(struct virtqueue *queue) {
    uint16_t index = queue->used->index;
    if (index == queue->seen)
        return VIRTQUEUE_PENDING;
    compiler_barrier(); /* and of loads */
    uint16_t slot = queue->seen % queue->size;
    bool sound = index == queue->submitted && queue->submitted == (uint16_t)(queue->seen + 1) &&
                 queue->used->ring[slot].id == 0 &&
                 queue->used->ring[slot].bytes <= queue->writable;
    queue->seen++;
    return sound ? VIRTQUEUE_ENDED : VIRTQUEUE_BROKEN;
}
