/* virtio_blk.h - disks of virtual machines (virtio 1.1, section 5.2). */
#ifndef KERNEL_DEV_VIRTIO_BLK_H
#define KERNEL_DEV_VIRTIO_BLK_H

#include <stdbool.h>

#include "dev/virtio.h"

/* Adds every disk as virtio0, virtio1, ...; needs pci_init, paging_init, time_init. */
void virtio_blk_init(void);
/* Starts one device and adds it; false: no usable disk. */
bool virtio_blk_add(const struct virtio *found);

#endif
