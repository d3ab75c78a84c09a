/* pci_config.c - registers through memory on buses that are mapped, else through ports. */
#include "dev/pci_config.h"

#include "arch/x86/port.h"
#include "console/event.h"
#include "dev/acpi_memory.h"
#include "dev/mcfg.h"
#include "dev/pci.h"
#include "lib/printf.h"
#include "mm/paging.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u
#define PORT_REGISTERS 0x100u
#define NOTHING 0xffffffffu

static bool has_ports, has_memory;
static struct mcfg memory;
static uint8_t *mapped[256]; /* by bus; NULL: not through memory */

static bool select_register(const struct pci_device *d, uint16_t offset) {
    if (!has_ports || offset >= PORT_REGISTERS)
        return false;
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)d->bus << 16 | (uint32_t)d->slot << 11 |
                             (uint32_t)d->function << 8 | (offset & 0xfcu));
    return true;
}

static void *in_memory(const struct pci_device *d, uint16_t offset) {
    uint32_t at = (uint32_t)d->slot << 15 | (uint32_t)d->function << 12 | (offset & 0xffcu);
    return mapped[d->bus] ? mapped[d->bus] + at : 0;
}

/* AMD's processors want these accesses through EAX (BKDG for family 10h, section 2.11), which is
 * also why they are not left to the compiler. */
static uint32_t load(const void *address) {
    uint32_t value;
    __asm__ volatile("movl (%1), %0" : "=a"(value) : "r"(address) : "memory");
    return value;
}

static void store(void *address, uint32_t value) {
    __asm__ volatile("movl %0, (%1)" : : "a"(value), "r"(address) : "memory");
}

uint32_t pci_read32(const struct pci_device *d, uint16_t offset) {
    const void *address = in_memory(d, offset);
    if (address)
        return load(address);
    return select_register(d, offset) ? inl(CONFIG_DATA) : NOTHING;
}

void pci_write32(const struct pci_device *d, uint16_t offset, uint32_t value) {
    void *address = in_memory(d, offset);
    if (address)
        store(address, value);
    else if (select_register(d, offset))
        outl(CONFIG_DATA, value);
}

bool pci_config_reaches(uint8_t bus) {
    bool within = has_memory && bus >= memory.first_bus && bus <= memory.last_bus;
    if (!has_ports && within)
        pci_config_map(bus);
    return has_ports || mapped[bus];
}

void pci_config_map(uint8_t bus) {
    if (has_memory && bus >= memory.first_bus && bus <= memory.last_bus && !mapped[bus])
        mapped[bus] =
            paging_map_device(memory.address + (uint64_t)bus * MCFG_BUS_BYTES, MCFG_BUS_BYTES);
}

/* Firmware has been seen whose table is wrong: both ways must show the same host bridge. */
static bool agrees(struct fluid_error *err) {
    struct pci_device bridge = {.bus = memory.first_bus};
    uint32_t by_ports = pci_read32(&bridge, 0);
    pci_config_map(bridge.bus);
    uint32_t by_memory = mapped[bridge.bus] ? pci_read32(&bridge, 0) : NOTHING;
    if (mapped[bridge.bus] && (!has_ports || by_ports == by_memory))
        return true;
    mapped[bridge.bus] = 0;
    fluid_fail(
        err, "E-ACPI-09",
        "ACPI: the host bridge 0x%x expected at 0x%llx, as the MCFG says, found 0x%x; PCI is "
        "reached through ports (update the BIOS)",
        by_ports, (unsigned long long)memory.address, by_memory);
    return false;
}

void pci_config_init(void) {
    struct acpi_table table;
    struct fluid_error err;
    outl(CONFIG_ADDRESS, CONFIG_ENABLE);
    has_ports = inl(CONFIG_ADDRESS) == CONFIG_ENABLE;
    if (acpi_table("MCFG", &table) != 0)
        return;
    has_memory = mcfg_parse(&memory, &table, &err) == 0;
    has_memory = has_memory && agrees(&err);
    if (!has_memory)
        report_warn(&err);
}

void pci_config_print(void) {
    if (has_memory)
        kprintf("PCI through memory at 0x%llx, buses %u to %u\n",
                (unsigned long long)memory.address, memory.first_bus, memory.last_bus);
    else
        kprintf("PCI through %s\n", has_ports ? "ports" : "nothing");
}
