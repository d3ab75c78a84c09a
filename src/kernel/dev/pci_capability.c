/* pci_capability.c - following the pointers, each of them checked. */
#include "dev/pci_capability.h"

#define REG_STATUS 0x04 /* in the upper half */
#define REG_POINTER 0x34
#define STATUS_LIST (1u << 20)
#define LIST_BEGIN 0x40u /* behind the header */
#define CAPABILITIES_MAX ((0x100u - LIST_BEGIN) / 4)

bool pci_walk_next(struct pci_walk *walk) {
    uint32_t pointer;
    if (walk->steps == CAPABILITIES_MAX)
        return false;
    if (walk->steps == 0) {
        if (!(pci_read32(walk->device, REG_STATUS) & STATUS_LIST))
            return false;
        pointer = pci_read32(walk->device, REG_POINTER) & 0xff;
    } else {
        pointer = pci_read32(walk->device, walk->at) >> 8 & 0xff;
    }
    pointer &= ~3u; /* the lower bits are reserved */
    if (pointer < LIST_BEGIN)
        return false;
    walk->steps++;
    walk->at = (uint8_t)pointer;
    walk->id = pci_read32(walk->device, walk->at) & 0xff;
    return walk->id != 0xff; /* the function is gone */
}
