/* virtio_legacy.c - registers in I/O ports (virtio 1.1, section 4.1.4.8: the legacy interface). */
#include "arch/x86/port.h"
#include "dev/pci.h"
#include "dev/virtio.h"
#include "lib/string.h"

#define PORT_FEATURES 0
#define PORT_DRIVER_FEATURES 4
#define PORT_QUEUE_ADDRESS 8 /* in units of VIRTQUEUE_ALIGN */
#define PORT_QUEUE_SIZE 12
#define PORT_QUEUE_SELECT 14
#define PORT_NOTIFY 16
#define PORT_STATUS 18
#define PORT_CONFIG 20 /* without MSI-X, which nobody has switched on */

#define CONFIG_TRIES 100u
#define CONFIG_BYTES_MAX 8u

static uint8_t status(struct virtio *v) {
    return inb(v->port + PORT_STATUS);
}

static void set_status(struct virtio *v, uint8_t value) {
    outb(v->port + PORT_STATUS, value);
}

static uint64_t features(struct virtio *v) {
    return inl(v->port + PORT_FEATURES);
}

static void set_features(struct virtio *v, uint64_t bits) {
    outl(v->port + PORT_DRIVER_FEATURES, (uint32_t)bits);
}

static uint32_t queue_size(struct virtio *v) {
    outw(v->port + PORT_QUEUE_SELECT, 0);
    return inw(v->port + PORT_QUEUE_SIZE);
}

static bool set_queue(struct virtio *v, const struct virtqueue *queue) {
    outw(v->port + PORT_QUEUE_SELECT, 0);
    outl(v->port + PORT_QUEUE_ADDRESS,
         (uint32_t)((uint64_t)(uintptr_t)queue->descriptors / VIRTQUEUE_ALIGN));
    return true;
}

static void notify(struct virtio *v) {
    outw(v->port + PORT_NOTIFY, 0);
}

/* There is no generation: it is read until it is the same twice. */
static bool config(struct virtio *v, uint32_t offset, void *to, uint32_t size) {
    uint8_t bytes[CONFIG_BYTES_MAX];
    if (size > sizeof(bytes) || PORT_CONFIG + offset + size > v->port_count)
        return false;
    memset(to, 0, size);
    for (unsigned try = 0; try < CONFIG_TRIES; try++) {
        for (uint32_t i = 0; i < size; i++)
            bytes[i] = inb((uint16_t)(v->port + PORT_CONFIG + offset + i));
        if (try > 0 && memcmp(bytes, to, size) == 0)
            return true;
        memcpy(to, bytes, size);
    }
    return false;
}

static const struct virtio_transport legacy = {
    .status = status,
    .set_status = set_status,
    .features = features,
    .set_features = set_features,
    .queue_size = queue_size,
    .set_queue = set_queue,
    .notify = notify,
    .config = config,
};

bool virtio_legacy_open(struct virtio *v, const struct pci_device *pci) {
    const struct pci_bar *bar = &pci->bar[0];
    if (!bar->io || bar->base == 0 || bar->size < PORT_CONFIG || bar->base + bar->size > 0x10000)
        return false;
    *v = (struct virtio){.transport = &legacy,
                         .port = (uint16_t)bar->base,
                         .port_count = (uint16_t)(bar->size > 0xffff ? 0xffff : bar->size)};
    return true;
}
