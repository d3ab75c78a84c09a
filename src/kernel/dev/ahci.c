/* ahci.c - finds AHCI controllers and their disks and moves sectors. The ports themselves are
 * driven by ahci_port.c. Section numbers: Serial ATA AHCI 1.3.1. */
#include "dev/ahci.h"

#include <stddef.h>

#include "arch/x86/time.h"
#include "dev/ahci_port.h"
#include "dev/block.h"
#include "dev/block_split.h"
#include "dev/pci.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"

#define CLASS_STORAGE 0x01
#define SUBCLASS_SATA 0x06
#define PROG_IF_AHCI 0x01
#define ABAR 5

#define CAP2_BOH (1u << 0)
#define BOHC_BOS (1u << 0) /* owned by the BIOS */
#define BOHC_OOS (1u << 1) /* claimed by the OS */
#define BOHC_BB (1u << 4)  /* the BIOS is finishing its work */

#define HANDOFF_MS 25
#define HANDOFF_BUSY_MS 2000

#define DMA32_END (1ull << 32)

static unsigned disk_count;

/* Section 10.6.3: ask for ownership, wait 25 ms, or 2 s more when the BIOS says it is busy. */
static void take_from_bios(volatile struct ahci_regs *r) {
    if (!(r->cap2 & CAP2_BOH) || !(r->bohc & BOHC_BOS))
        return;
    r->bohc |= BOHC_OOS;
    uint64_t begin = time_ms(), limit = HANDOFF_MS;
    while (r->bohc & BOHC_BOS && time_ms() - begin <= limit) {
        if (r->bohc & BOHC_BB)
            limit = HANDOFF_BUSY_MS;
        time_delay_us(ATA_POLL_US);
    }
}

static int run(void *driver, bool write, uint64_t lba, uint32_t count, void *buffer) {
    static const uint8_t codes[2][2] = {{ATA_READ_DMA, ATA_READ_DMA_EXT},
                                        {ATA_WRITE_DMA, ATA_WRITE_DMA_EXT}};
    struct ahci_port *port = driver;
    const struct ahci_command command = {
        .command = codes[write][port->id.lba48],
        .write = write,
        .lba = lba,
        .count = count,
        .buffer = buffer,
        .bytes = count * BLOCK_SECTOR,
        .ms = ATA_COMMAND_MS,
        .attempts = 2,
    };
    return ahci_port_command(port, &command);
}

static int transfer(struct ahci_port *port, bool write, uint64_t lba, uint32_t count,
                    void *buffer) {
    const struct block_reach reach = {
        .most = port->id.lba48 ? AHCI_COMMAND_BYTES / BLOCK_SECTOR : ATA_LBA28_SECTORS_MAX,
        .end = port->bounce ? DMA32_END : 0,
        .bounce = port->bounce,
    };
    return block_split(&reach, run, port, write, lba, count, buffer);
}

static int ahci_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    return transfer(device->driver, false, lba, count, buffer);
}

static int ahci_write(struct block_device *device, uint64_t lba, uint32_t count,
                      const void *buffer) {
    return transfer(device->driver, true, lba, count, (void *)(uintptr_t)buffer);
}

/* Tried once: a drive drops the sector that it could not write, and the next FLUSH CACHE, which
 * goes on behind it, would succeed (ATA8-ACS section 7.24.4). */
static int ahci_flush(struct block_device *device) {
    struct ahci_port *port = device->driver;
    const struct ahci_command command = {
        .command = port->id.flush_command, .ms = ATA_FLUSH_MS, .attempts = 1};
    return command.command == 0 ? BLOCK_DONE : ahci_port_command(port, &command);
}

static bool identify(struct ahci_port *port) {
    uint16_t *words = pages_alloc(1, PAGE_SIZE, DMA32_END);
    if (!words)
        return false;
    const struct ahci_command command = {
        .command = ATA_IDENTIFY,
        .buffer = words,
        .bytes = 256 * sizeof(*words),
        .ms = ATA_COMMAND_MS,
        .attempts = 2,
    };
    bool ok =
        ahci_port_command(port, &command) == BLOCK_DONE && ata_parse_identity(words, &port->id);
    pages_free(words, 1);
    return ok;
}

/* Memory below 4 GiB for an HBA with 32-bit addresses in a machine with more. */
static bool add_bounce(struct ahci_port *port) {
    if (port->hba->cap & AHCI_CAP_S64A || pages_top() <= DMA32_END)
        return true;
    port->bounce = pages_alloc(BLOCK_BOUNCE_BYTES / PAGE_SIZE, PAGE_SIZE, DMA32_END);
    return port->bounce != NULL;
}

static void add_port(const struct ahci_port *found) {
    struct ahci_port *port = kzalloc(sizeof(*port));
    if (!port)
        return;
    *port = *found;
    if (!ahci_port_open(port)) {
        kfree(port);
        return;
    }
    struct block_device disk = {
        .read = ahci_read, .write = ahci_write, .flush = ahci_flush, .driver = port};
    if (identify(port) && add_bounce(port)) {
        disk.sectors = port->id.sectors;
        ksnprintf(disk.name, sizeof(disk.name), "ahci%u", disk_count);
        if (block_add(&disk)) {
            disk_count++;
            return;
        }
    }
    if (port->bounce)
        pages_free(port->bounce, BLOCK_BOUNCE_BYTES / PAGE_SIZE);
    ahci_port_close(port);
    kfree(port);
}

static void add_controller(const struct pci_device *pci) {
    if (pci->bar[ABAR].io || !pci->bar[ABAR].base)
        return;
    pci_enable(pci);
    volatile struct ahci_regs *r = paging_map_device(pci->bar[ABAR].base, sizeof(struct ahci_regs));
    if (!r)
        return;
    take_from_bios(r);
    ahci_enable(r);
    for (unsigned i = 0; i < 32; i++) {
        bool inside = offsetof(struct ahci_regs, port[i + 1]) <= pci->bar[ABAR].size;
        if (inside && r->pi >> i & 1)
            add_port(&(struct ahci_port){.hba = r, .regs = &r->port[i]});
    }
}

void ahci_init(void) {
    disk_count = 0;
    for (unsigned i = 0; i < pci_count(); i++) {
        const struct pci_device *d = pci_get(i);
        if (d->class_code == CLASS_STORAGE && d->subclass == SUBCLASS_SATA &&
            d->prog_if == PROG_IF_AHCI)
            add_controller(d);
    }
}
