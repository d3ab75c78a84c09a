/* ide.h - ATA disks behind IDE controllers: legacy ports, PCI native mode, bus-master DMA. */
#ifndef KERNEL_DEV_IDE_H
#define KERNEL_DEV_IDE_H

void ide_init(void); /* adds every disk as ide0, ide1, ...; needs pci_init and time_init */

#endif
