/* virtio_pci.c - a transitional device has its registers in both ways; the new one counts. */
#include "dev/pci.h"
#include "dev/virtio.h"

bool virtio_pci_open(struct virtio *v, const struct pci_device *pci) {
    pci_enable(pci);
    return virtio_modern_open(v, pci) || virtio_legacy_open(v, pci);
}
