/* pci_print.c - the table of PCI functions for people. */
#include "dev/pci_capability.h"
#include "dev/pci_config.h"
#include "lib/printf.h"

static void print_bar(unsigned number, const struct pci_bar *bar) {
    if (bar->base == 0)
        return;
    kprintf("    BAR %u: %s 0x%llx, 0x%llx bytes\n", number, bar->io ? "ports" : "memory",
            (unsigned long long)bar->base, (unsigned long long)bar->size);
}

static void print_capabilities(const struct pci_device *d) {
    struct pci_walk walk = {.device = d};
    if (!pci_walk_next(&walk))
        return;
    kprintf("    capabilities:");
    do {
        kprintf(" 0x%02x", walk.id);
    } while (pci_walk_next(&walk));
    kprintf("\n");
}

void pci_print(void) {
    pci_config_print();
    for (unsigned i = 0; i < pci_count(); i++) {
        const struct pci_device *d = pci_get(i);
        kprintf("  %02x:%02x.%u %04x:%04x class %02x.%02x.%02x\n", d->bus, d->slot, d->function,
                d->vendor, d->device, d->class_code, d->subclass, d->prog_if);
        for (unsigned bar = 0; bar < 6; bar++)
            print_bar(bar, &d->bar[bar]);
        print_capabilities(d);
    }
}
