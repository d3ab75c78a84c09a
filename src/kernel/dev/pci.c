/* pci.c - PCI enumeration (PCI Local Bus 3.0; how registers are reached: pci_config.c).
 *
 * All 256 buses are tried rather than following bridges: root buses of further host bridges have no
 * bridge that leads to them, and the whole scan costs a few milliseconds. */
#include "dev/pci.h"

#include "dev/pci_config.h"

#define REG_ID 0x00
#define REG_COMMAND 0x04
#define REG_CLASS 0x08
#define REG_HEADER 0x0c
#define REG_BAR0 0x10

#define COMMAND_IO 0x1u
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u

#define HEADER_MULTI_FUNCTION 0x80u
#define CLASS_BRIDGE 0x06
#define SUBCLASS_HOST_BRIDGE 0x00

#define BAR_IO 0x1u
#define BAR_TYPE_64 0x4u
#define BAR_TYPE_MASK 0x6u

static struct pci_device devices[PCI_MAX_DEVICES];
static unsigned device_count;

/* The status half is cleared by writing ones, so it is written as zeros. */
static void write_command(const struct pci_device *d, uint32_t command) {
    pci_write32(d, REG_COMMAND, command & 0xffff);
}

void pci_enable(const struct pci_device *d) {
    write_command(d, pci_read32(d, REG_COMMAND) | COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
}

/* Writes ones, reads back which address bits stick, restores. Section 6.2.5.1. */
static uint32_t probe_bits(const struct pci_device *d, uint8_t offset, uint32_t old) {
    pci_write32(d, offset, 0xffffffff);
    uint32_t bits = pci_read32(d, offset);
    pci_write32(d, offset, old);
    return bits;
}

/* Reads BAR i; returns how many of the six registers it takes. */
static unsigned read_bar(struct pci_device *d, unsigned i, unsigned count) {
    struct pci_bar *bar = &d->bar[i];
    uint8_t offset = (uint8_t)(REG_BAR0 + 4 * i);
    uint32_t low = pci_read32(d, offset);
    uint32_t bits = probe_bits(d, offset, low);
    if (low & BAR_IO) {
        /* Devices may hard-wire the upper half of an I/O BAR to zero: x86 has 16-bit ports. */
        uint32_t mask = (bits & ~0x3u) | 0xffff0000;
        bar->io = true;
        bar->base = low & 0xfffc;
        bar->size = bits & ~0x3u ? ~mask + 1 : 0;
        return 1;
    }
    uint64_t base = low & ~0xfu, mask = bits & ~0xfu;
    unsigned used = 1;
    if ((low & BAR_TYPE_MASK) == BAR_TYPE_64 && i + 1 < count) {
        uint32_t high = pci_read32(d, offset + 4);
        base |= (uint64_t)high << 32;
        mask |= (uint64_t)probe_bits(d, offset + 4, high) << 32;
        used = 2;
    } else if (mask) {
        mask |= 0xffffffff00000000;
    }
    bar->base = base;
    bar->size = ~mask + 1; /* 0 for an unimplemented BAR */
    return used;
}

static void read_bars(struct pci_device *d, uint8_t header) {
    /* A host bridge must keep decoding, and nobody needs its BARs. */
    if (d->class_code == CLASS_BRIDGE && d->subclass == SUBCLASS_HOST_BRIDGE)
        return;
    unsigned count = header == 0 ? 6 : header == 1 ? 2 : 0;
    uint32_t command = pci_read32(d, REG_COMMAND);
    write_command(d, command & ~(COMMAND_IO | COMMAND_MEMORY));
    for (unsigned i = 0; i < count;)
        i += read_bar(d, i, count);
    write_command(d, command);
    for (unsigned i = 0; i < 6; i++) {
        if (!d->bar[i].base || !d->bar[i].size)
            d->bar[i] = (struct pci_bar){0}; /* implemented, but no address was assigned */
    }
}

/* Adds the function; returns its header type with the multi-function bit, -1 if it is absent. */
static int probe_function(struct pci_device d) {
    uint32_t id = pci_read32(&d, REG_ID);
    if ((id & 0xffff) == 0xffff || id == 0)
        return -1;
    pci_config_map(d.bus);
    uint32_t class = pci_read32(&d, REG_CLASS);
    uint8_t header = pci_read32(&d, REG_HEADER) >> 16 & 0xff;
    d.vendor = id & 0xffff;
    d.device = id >> 16;
    d.class_code = class >> 24;
    d.subclass = class >> 16 & 0xff;
    d.prog_if = class >> 8 & 0xff;
    if (device_count < PCI_MAX_DEVICES) {
        read_bars(&d, header & 0x7f);
        devices[device_count++] = d;
    }
    return header;
}

void pci_init(void) {
    device_count = 0;
    pci_config_init();
    for (unsigned bus = 0; bus < 256; bus++) {
        if (!pci_config_reaches((uint8_t)bus))
            continue;
        for (unsigned slot = 0; slot < 32; slot++) {
            struct pci_device d = {.bus = (uint8_t)bus, .slot = (uint8_t)slot};
            int header = probe_function(d);
            if (header < 0 || !(header & HEADER_MULTI_FUNCTION))
                continue;
            for (d.function = 1; d.function < 8; d.function++)
                probe_function(d);
        }
    }
}

unsigned pci_count(void) {
    return device_count;
}

const struct pci_device *pci_get(unsigned index) {
    return index < device_count ? &devices[index] : 0;
}
