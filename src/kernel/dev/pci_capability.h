/* pci_capability.h - the list of capabilities of a PCI function (PCI Local Bus 3.0, section 6.7).
 */
#ifndef KERNEL_DEV_PCI_CAPABILITY_H
#define KERNEL_DEV_PCI_CAPABILITY_H

#include "dev/pci.h"

#define PCI_CAPABILITY_VENDOR 0x09

/* A walk; zeroed but for the device at its begin. The list may be damaged or a loop: a walk has no
 * more steps than there is room for capabilities. */
struct pci_walk {
    const struct pci_device *device;
    uint8_t at; /* of this capability in configuration space, 4-byte aligned */
    uint8_t id;
    uint8_t steps;
};

/* Goes to the next capability; false at the end. */
bool pci_walk_next(struct pci_walk *walk);
#endif
