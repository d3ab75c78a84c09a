/* virtio.c - initialising a virtio device, section 3.1.1 of virtio 1.1. */
#include "dev/virtio.h"

#include "arch/x86/time.h"
#include "dev/ata.h"
#include "dev/pci.h"

#define RESET_MS 1000

bool virtio_reset(struct virtio *v) {
    uint64_t begin = time_ms();
    v->transport->set_status(v, 0);
    while (v->transport->status(v) != 0) { /* section 4.1.4.3.2 */
        if (time_ms() - begin > RESET_MS)
            return false;
        time_delay_us(ATA_POLL_US);
    }
    return true;
}

static bool fail(struct virtio *v) {
    v->transport->set_status(v, VIRTIO_FAILED);
    return false;
}

bool virtio_begin(struct virtio *v, uint64_t wanted, uint64_t *features) {
    const struct virtio_transport *t = v->transport;
    uint8_t status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
    if (!virtio_reset(v))
        return false;
    t->set_status(v, VIRTIO_ACKNOWLEDGE);
    t->set_status(v, status);
    if (t->modern)
        wanted |= VIRTIO_F_VERSION_1;
    *features = t->features(v) & wanted;
    if (t->modern && !(*features & VIRTIO_F_VERSION_1))
        return fail(v);
    t->set_features(v, *features);
    if (!t->modern)
        return true;
    t->set_status(v, status | VIRTIO_FEATURES_OK);
    return t->status(v) & VIRTIO_FEATURES_OK ? true : fail(v);
}

bool virtio_start(struct virtio *v, const struct virtqueue *queue) {
    const struct virtio_transport *t = v->transport;
    uint8_t status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
    if (t->modern)
        status |= VIRTIO_FEATURES_OK;
    if (!t->set_queue(v, queue))
        return fail(v);
    t->set_status(v, status | VIRTIO_DRIVER_OK);
    return true;
}
