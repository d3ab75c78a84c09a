/* disks.c - which controllers are probed for disks, in order. */
#include "dev/ahci.h"
#include "dev/block.h"
#include "dev/ide.h"
#include "dev/virtio_blk.h"

void block_init(void) {
    ahci_init();
    ide_init();
    virtio_blk_init();
}
