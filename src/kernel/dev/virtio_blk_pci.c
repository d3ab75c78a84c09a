/* virtio_blk_pci.c - finds virtio disks on the PCI bus. */
#include "dev/pci.h"
#include "dev/virtio_blk.h"

#define VENDOR 0x1af4
#define DEVICE_TRANSITIONAL 0x1001
#define DEVICE_MODERN 0x1042 /* 0x1040 + the type of device (virtio 1.1, section 4.1.2) */

void virtio_blk_init(void) {
    struct virtio found;
    for (unsigned i = 0; i < pci_count(); i++) {
        const struct pci_device *d = pci_get(i);
        bool disk = d->device == DEVICE_TRANSITIONAL || d->device == DEVICE_MODERN;
        if (d->vendor == VENDOR && disk && virtio_pci_open(&found, d))
            virtio_blk_add(&found);
    }
}
