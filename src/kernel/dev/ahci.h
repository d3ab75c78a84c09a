/* ahci.h - SATA disks behind AHCI controllers (Serial ATA AHCI 1.3.1), driven by DMA and polling.
 */
#ifndef KERNEL_DEV_AHCI_H
#define KERNEL_DEV_AHCI_H

/* Adds every disk as ahci0, ahci1, ...; needs pci_init, paging_init, time_init. */
void ahci_init(void);

#endif
