/* pci.h - the functions on the PCI buses and their registers (PCI Local Bus 3.0). */
#ifndef KERNEL_DEV_PCI_H
#define KERNEL_DEV_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_MAX_DEVICES 64

struct pci_bar {
    uint64_t base; /* address without flag bits; 0: absent */
    uint64_t size;
    bool io; /* I/O ports rather than memory */
};

struct pci_device {
    uint8_t bus, slot, function;
    uint16_t vendor, device;
    uint8_t class_code, subclass, prog_if;
    struct pci_bar bar[6];
};

void pci_init(void); /* enumerates every bus */
unsigned pci_count(void);
const struct pci_device *pci_get(unsigned index);
/* pci_config.c: offset below 4096, a multiple of 4; all ones where there is nothing. */
uint32_t pci_read32(const struct pci_device *d, uint16_t offset);
void pci_write32(const struct pci_device *d, uint16_t offset, uint32_t value);
void pci_print(void); /* the table of all, for /pci */
/* Sets the I/O, memory and bus-master bits of the command register. */
void pci_enable(const struct pci_device *d);
#endif
