/* ide.c - finds IDE channels and the disks on them and moves sectors: by DMA where controller and
 * drive can, else by programmed I/O. ATAPI drives are left alone. */
#include "dev/ide.h"

#include <stddef.h>

#include "arch/x86/port.h"
#include "dev/block_split.h"
#include "dev/ide_channel.h"
#include "dev/pci.h"
#include "lib/printf.h"
#include "mm/heap.h"

#define CLASS_STORAGE 0x01
#define SUBCLASS_IDE 0x01
#define PROG_IF_BUS_MASTER 0x80
#define BAR_BUS_MASTER 4

#define CONTROL_IN_BAR 2     /* native mode: the control port's offset in its BAR */
#define BUS_MASTER_CHANNEL 8 /* distance of the two channels' bus-master registers */
#define STATUS_FLOATING 0xff /* no drive pulls the bus */

#define DMA_FAILURES_MAX 3

static const struct {
    uint16_t base, control;
} legacy_ports[2] = {{0x1f0, 0x3f6}, {0x170, 0x376}};

static unsigned disk_count;

static bool recover(struct ide_drive *d) {
    if (!ide_soft_reset(d->channel))
        return false;
    ide_set_multiple(d);
    return true;
}

/* Moves what fits one DMA command. A failed attempt is repeated once, by PIO; a drive on which DMA
 * keeps failing where PIO works is driven by PIO from then on. */
static int run(void *driver, bool write, uint64_t lba, uint32_t count, void *buffer) {
    struct ide_drive *d = driver;
    int first = d->dma ? ide_dma_run(d, write, lba, count, buffer)
                       : ide_pio_run(d, write, lba, count, buffer);
    if (first == BLOCK_DONE) {
        d->dma_failures = 0;
        return BLOCK_DONE;
    }
    if (!recover(d))
        return first;
    int second = ide_pio_run(d, write, lba, count, buffer);
    if (second != BLOCK_DONE) {
        recover(d); /* leaves the drive usable for other sectors */
        return second;
    }
    if (d->dma && ++d->dma_failures == DMA_FAILURES_MAX)
        d->dma = false;
    return BLOCK_DONE;
}

static int transfer(struct ide_drive *d, bool write, uint64_t lba, uint32_t count, void *buffer) {
    const struct block_reach reach = {
        .most = d->id.lba48 ? IDE_DMA_BYTES / BLOCK_SECTOR : ATA_LBA28_SECTORS_MAX,
        .end = d->dma && d->channel->bounce ? IDE_DMA_END : 0,
        .bounce = d->channel->bounce,
    };
    return block_split(&reach, run, d, write, lba, count, buffer);
}

static int ide_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    return transfer(device->driver, false, lba, count, buffer);
}

static int ide_write(struct block_device *device, uint64_t lba, uint32_t count,
                     const void *buffer) {
    return transfer(device->driver, true, lba, count, (void *)(uintptr_t)buffer);
}

/* Tried once: a drive drops the sector that it could not write, and the next FLUSH CACHE, which
 * goes on behind it, would succeed (ATA8-ACS section 7.24.4). */
static int ide_flush(struct block_device *device) {
    struct ide_drive *d = device->driver;
    if (d->id.flush_command == 0)
        return BLOCK_DONE;
    if (!ide_select(d)) {
        recover(d);
        return BLOCK_TIMED_OUT;
    }
    ide_start_command(d, d->id.flush_command, false, 0, 0);
    int result = ide_command_end(d->channel, ATA_FLUSH_MS);
    if (result != BLOCK_DONE)
        recover(d);
    return result;
}

/* A drive's registers keep what was written; an empty bus or a drive that is not there does not. */
static bool registers_answer(const struct ide_channel *c) {
    outb(c->base + IDE_COUNT, 0x55);
    outb(c->base + IDE_LBA_LOW, 0xaa);
    return inb(c->base + IDE_COUNT) == 0x55 && inb(c->base + IDE_LBA_LOW) == 0xaa;
}

static bool identify(struct ide_drive *d) {
    struct ide_channel *c = d->channel;
    uint16_t words[256];
    if (!ide_select(d) || !registers_answer(c))
        return false;
    ide_start_command(d, ATA_IDENTIFY, false, 0, 0);
    uint8_t status = ide_settled_status(c);
    if (status == 0 || status == STATUS_FLOATING)
        return false;
    if (ide_wait_idle(c, ATA_COMMAND_MS) < 0)
        return false;
    /* ATAPI and SATA-bridged drives refuse and leave their signature (ATA8-ACS section 7.12.6). */
    if (inb(c->base + IDE_LBA_MID) | inb(c->base + IDE_LBA_HIGH))
        return false;
    d->multiple = 1;
    return ide_pio_receive(d, 1, (uint8_t *)words) == BLOCK_DONE &&
           ata_parse_identity(words, &d->id);
}

static void add_drive(struct ide_channel *c, uint8_t unit) {
    struct ide_drive *d = kzalloc(sizeof(*d));
    if (!d)
        return;
    d->channel = c;
    d->unit = unit;
    if (identify(d)) {
        d->dma = c->bus_master && d->id.dma;
        ide_set_multiple(d);
        struct block_device disk = {.sectors = d->id.sectors,
                                    .read = ide_read,
                                    .write = ide_write,
                                    .flush = ide_flush,
                                    .driver = d};
        ksnprintf(disk.name, sizeof(disk.name), "ide%u", disk_count);
        if (block_add(&disk)) {
            disk_count++;
            return;
        }
    }
    kfree(d);
}

static void add_channel(uint16_t base, uint16_t control, uint16_t bus_master) {
    if (inb(control) == STATUS_FLOATING || inb(base + IDE_STATUS) == STATUS_FLOATING)
        return;
    struct ide_channel *c = kzalloc(sizeof(*c)); /* kept, also when both drives are absent */
    if (!c)
        return;
    *c = (struct ide_channel){.base = base, .control = control, .bus_master = bus_master};
    if (!ide_soft_reset(c)) /* also switches the interrupts off */
        return;
    ide_dma_init(c);
    add_drive(c, 0);
    add_drive(c, 1);
}

/* Programming interface bits 0 and 2: the channel is in native mode, at the ports in its BARs. */
static void add_controller(const struct pci_device *pci, bool taken[2]) {
    pci_enable(pci);
    const struct pci_bar *bm = &pci->bar[BAR_BUS_MASTER];
    bool bus_master = pci->prog_if & PROG_IF_BUS_MASTER && bm->io && bm->base;
    for (unsigned i = 0; i < 2; i++) {
        uint16_t bm_base = bus_master ? (uint16_t)(bm->base + i * BUS_MASTER_CHANNEL) : 0;
        if (pci->prog_if >> (2 * i) & 1) {
            const struct pci_bar *command = &pci->bar[2 * i], *control = &pci->bar[2 * i + 1];
            if (command->io && command->base && control->io && control->base)
                add_channel((uint16_t)command->base, (uint16_t)control->base + CONTROL_IN_BAR,
                            bm_base);
        } else if (!taken[i]) {
            taken[i] = true;
            add_channel(legacy_ports[i].base, legacy_ports[i].control, bm_base);
        }
    }
}

void ide_init(void) {
    bool taken[2] = {false, false};
    disk_count = 0;
    for (unsigned i = 0; i < pci_count(); i++) {
        const struct pci_device *d = pci_get(i);
        if (d->class_code == CLASS_STORAGE && d->subclass == SUBCLASS_IDE)
            add_controller(d, taken);
    }
    for (unsigned i = 0; i < 2; i++) { /* machines from before PCI IDE */
        if (!taken[i])
            add_channel(legacy_ports[i].base, legacy_ports[i].control, 0);
    }
}
