/* pci_config.h - the two ways to PCI configuration space: memory (PCI Express, 4 KiB a function)
 * and the ports 0xCF8 and 0xCFC (PCI Local Bus 3.0, section 3.2.2.3.2; 256 bytes). */
#ifndef KERNEL_DEV_PCI_CONFIG_H
#define KERNEL_DEV_PCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

void pci_config_init(void); /* after paging_init */
/* Is there any way to this bus? */
bool pci_config_reaches(uint8_t bus);
/* From now on this bus is used through memory, where there is that way: something is on it. Not
 * all are mapped from the start, that would take a page table for each 2 MiB of 256. */
void pci_config_map(uint8_t bus);
void pci_config_print(void);
#endif
