/* virtqueue.h - one split virtqueue with one request at a time (virtio 1.1, section 2.6). Knows no
 * hardware, and trusts nothing that the device writes. */
#ifndef KERNEL_DEV_VIRTQUEUE_H
#define KERNEL_DEV_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQUEUE_SIZE_MIN 4u /* a request has up to three buffers */
#define VIRTQUEUE_SIZE_MAX 32768u
#define VIRTQUEUE_ALIGN 4096u /* of the memory and, in it, of the used ring (section 2.6.2) */

struct virtq_descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};
_Static_assert(sizeof(struct virtq_descriptor) == 16, "virtio 1.1 section 2.6.5");

struct virtq_available {
    uint16_t flags, index, ring[];
};

struct virtq_used {
    uint16_t flags, index;
    struct {
        uint32_t id, bytes;
    } ring[];
};

struct virtqueue {
    uint16_t size;
    volatile struct virtq_descriptor *descriptors;
    volatile struct virtq_available *available;
    volatile const struct virtq_used *used; /* written by the device */
    uint16_t submitted, seen;               /* requests, modulo 2^16 */
    uint64_t writable;                      /* bytes of the request under way that may be written */
};

struct virtq_buffer {
    uint64_t address;
    uint32_t bytes;
    bool device_writes;
};

/* Size: a power of two in the range above. */
bool virtqueue_size_valid(uint32_t size);
/* Memory that a queue takes, in the layout that legacy devices expect. */
size_t virtqueue_bytes(uint16_t size);
/* Lays an empty queue into memory (virtqueue_bytes, aligned). */
void virtqueue_init(struct virtqueue *queue, void *memory, uint16_t size);
/* Makes a request of 1 to VIRTQUEUE_SIZE_MIN buffers available; there must be none under way. */
void virtqueue_submit(struct virtqueue *queue, const struct virtq_buffer *buffers, unsigned count);

enum virtqueue_state {
    VIRTQUEUE_PENDING,
    VIRTQUEUE_ENDED,
    VIRTQUEUE_BROKEN, /* the device says what cannot be; it must be reset */
};
enum virtqueue_state virtqueue_poll(struct virtqueue *queue);
#endif
