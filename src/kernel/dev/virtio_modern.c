/* virtio_modern.c - registers in memory, found through capabilities (virtio 1.1, section 4.1). */
#include "dev/ata.h"
#include "dev/pci_capability.h"
#include "dev/virtio.h"
#include "mm/paging.h"

#define TYPE_COMMON 1u
#define TYPE_NOTIFY 2u
#define TYPE_DEVICE 4u
#define TYPES 5u
#define CAPABILITY_BYTES 16u
#define CAPABILITY_NOTIFY_BYTES 20u /* with a multiplier */

#define GENERATION_TRIES 100u

struct virtio_common { /* section 4.1.4.3 */
    uint32_t device_feature_select, device_feature;
    uint32_t driver_feature_select, driver_feature;
    uint16_t msix_config, num_queues;
    uint8_t device_status, config_generation;
    uint16_t queue_select, queue_size, queue_msix_vector, queue_enable, queue_notify_off;
    uint32_t queue_descriptors[2], queue_driver[2], queue_device[2]; /* low half first */
};
_Static_assert(sizeof(struct virtio_common) == 0x38, "virtio 1.1 section 4.1.4.3");

struct region { /* where a capability says that a structure is */
    uint64_t address;
    uint32_t bytes;
    uint32_t multiplier;
};

/* Reads the capability at `at`: into the region of its type, unless it does not fit its BAR. */
static void read_capability(const struct pci_device *pci, uint8_t at, struct region found[TYPES]) {
    uint32_t head = pci_read32(pci, at);
    uint32_t bytes = head >> 16 & 0xff, type = head >> 24;
    uint32_t least = type == TYPE_NOTIFY ? CAPABILITY_NOTIFY_BYTES : CAPABILITY_BYTES;
    if (type >= TYPES || found[type].bytes != 0 || bytes < least || at + least > 0x100)
        return;
    uint32_t number = pci_read32(pci, at + 4) & 0xff;
    uint32_t offset = pci_read32(pci, at + 8), length = pci_read32(pci, at + 12);
    if (number >= 6)
        return;
    const struct pci_bar *bar = &pci->bar[number];
    bool inside = offset < bar->size && length <= bar->size - offset;
    if (bar->io || bar->base == 0 || length == 0 || !inside || offset % 4 != 0)
        return;
    found[type] = (struct region){bar->base + offset, length, 0};
    if (type == TYPE_NOTIFY)
        found[type].multiplier = pci_read32(pci, at + 16);
}

static uint8_t status(struct virtio *v) {
    return v->common->device_status;
}

static void set_status(struct virtio *v, uint8_t value) {
    v->common->device_status = value;
}

static uint64_t features(struct virtio *v) {
    uint64_t bits = 0;
    for (uint32_t half = 0; half < 2; half++) {
        v->common->device_feature_select = half;
        bits |= (uint64_t)v->common->device_feature << 32 * half;
    }
    return bits;
}

static void set_features(struct virtio *v, uint64_t bits) {
    for (uint32_t half = 0; half < 2; half++) {
        v->common->driver_feature_select = half;
        v->common->driver_feature = (uint32_t)(bits >> 32 * half);
    }
}

static uint32_t queue_size(struct virtio *v) {
    v->common->queue_select = 0;
    return v->common->queue_size;
}

static void set_address(volatile uint32_t halves[2], volatile const void *memory) {
    halves[0] = (uint32_t)(uintptr_t)memory;
    halves[1] = (uint32_t)((uint64_t)(uintptr_t)memory >> 32);
}

static bool set_queue(struct virtio *v, const struct virtqueue *queue) {
    v->common->queue_select = 0;
    v->common->queue_size = queue->size;
    set_address(v->common->queue_descriptors, queue->descriptors);
    set_address(v->common->queue_driver, queue->available);
    set_address(v->common->queue_device, queue->used);
    uint64_t at = (uint64_t)v->common->queue_notify_off * v->notify_multiplier;
    if (at % sizeof(uint16_t) != 0 || at + sizeof(uint16_t) > v->notify_bytes)
        return false;
    v->doorbell = (volatile uint16_t *)(v->notify + at);
    v->common->queue_enable = 1;
    return true;
}

static void notify(struct virtio *v) {
    compiler_barrier();
    *v->doorbell = 0;
}

/* Section 2.4.1: the generation changes when the configuration does. */
static bool config(struct virtio *v, uint32_t offset, void *to, uint32_t size) {
    if (offset > v->config_bytes || size > v->config_bytes - offset)
        return false;
    for (unsigned try = 0; try < GENERATION_TRIES; try++) {
        uint8_t before = v->common->config_generation;
        for (uint32_t i = 0; i < size; i += sizeof(uint32_t))
            *(uint32_t *)((uint8_t *)to + i) = *(volatile const uint32_t *)(v->config + offset + i);
        if (v->common->config_generation == before)
            return true;
    }
    return false;
}

static const struct virtio_transport modern = {
    .modern = true,
    .status = status,
    .set_status = set_status,
    .features = features,
    .set_features = set_features,
    .queue_size = queue_size,
    .set_queue = set_queue,
    .notify = notify,
    .config = config,
};

bool virtio_modern_open(struct virtio *v, const struct pci_device *pci) {
    struct region found[TYPES] = {0};
    struct pci_walk walk = {.device = pci};
    while (pci_walk_next(&walk))
        if (walk.id == PCI_CAPABILITY_VENDOR)
            read_capability(pci, walk.at, found);
    if (found[TYPE_COMMON].bytes < sizeof(struct virtio_common) || found[TYPE_NOTIFY].bytes < 2)
        return false;
    *v = (struct virtio){
        .transport = &modern,
        .common = paging_map_device(found[TYPE_COMMON].address, found[TYPE_COMMON].bytes),
        .notify = paging_map_device(found[TYPE_NOTIFY].address, found[TYPE_NOTIFY].bytes),
        .notify_bytes = found[TYPE_NOTIFY].bytes,
        .notify_multiplier = found[TYPE_NOTIFY].multiplier,
    };
    if (found[TYPE_DEVICE].bytes != 0) {
        v->config = paging_map_device(found[TYPE_DEVICE].address, found[TYPE_DEVICE].bytes);
        v->config_bytes = v->config ? found[TYPE_DEVICE].bytes : 0;
    }
    return v->common && v->notify;
}
