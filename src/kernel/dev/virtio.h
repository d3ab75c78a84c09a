/* virtio.h - a virtio device with one queue, whatever way leads to its registers (virtio 1.1,
 * section 3.1: the steps of initialisation). */
#ifndef KERNEL_DEV_VIRTIO_H
#define KERNEL_DEV_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/virtqueue.h"

/* Device status, section 2.1. */
#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER 2u
#define VIRTIO_DRIVER_OK 4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_FAILED 128u

#define VIRTIO_F_VERSION_1 (1ull << 32)

struct virtio;

/* The registers of the device, of queue 0 among its queues. */
struct virtio_transport {
    bool modern; /* virtio 1.0, not what came before */
    uint8_t (*status)(struct virtio *v);
    void (*set_status)(struct virtio *v, uint8_t status); /* 0: reset */
    uint64_t (*features)(struct virtio *v);
    void (*set_features)(struct virtio *v, uint64_t features);
    uint32_t (*queue_size)(struct virtio *v); /* the largest; a legacy device takes no other */
    bool (*set_queue)(struct virtio *v, const struct virtqueue *queue);
    void (*notify)(struct virtio *v);
    /* Reads size bytes of the device's own configuration; false: they are not there. */
    bool (*config)(struct virtio *v, uint32_t offset, void *to, uint32_t size);
};

struct virtio {
    const struct virtio_transport *transport;
    /* virtio_modern.c */
    volatile struct virtio_common *common;
    volatile uint8_t *config, *notify;
    uint32_t config_bytes, notify_bytes, notify_multiplier;
    volatile uint16_t *doorbell; /* of queue 0 */
    /* virtio_legacy.c */
    uint16_t port, port_count;
};

/* Resets the device and agrees on the features of `wanted` that it has, into *features. false: it
 * does not answer, or wants what the driver does not have. */
bool virtio_begin(struct virtio *v, uint64_t wanted, uint64_t *features);
/* Hands over the queue and starts the device. */
bool virtio_start(struct virtio *v, const struct virtqueue *queue);
/* Resets it: it leaves memory alone from then on. false: it does not answer. */
bool virtio_reset(struct virtio *v);

/* Finds the registers of a PCI function: as virtio 1.0 has them, or as it was before. */
struct pci_device;
bool virtio_pci_open(struct virtio *v, const struct pci_device *pci);
bool virtio_modern_open(struct virtio *v, const struct pci_device *pci);
bool virtio_legacy_open(struct virtio *v, const struct pci_device *pci);
#endif
