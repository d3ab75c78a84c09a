/* ide.c - finds IDE channels and the disks on them and reads sectors: by DMA where controller and
 * drive can, else by programmed I/O. ATAPI drives are left alone. */
#include "dev/ide.h"

#include <stddef.h>

#include "arch/x86/port.h"
#include "dev/block.h"
#include "dev/ide_channel.h"
#include "dev/pci.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"

#define CLASS_STORAGE 0x01
#define SUBCLASS_IDE 0x01
#define PROG_IF_BUS_MASTER 0x80
#define BAR_BUS_MASTER 4

#define CONTROL_IN_BAR 2     /* native mode: the control port's offset in its BAR */
#define BUS_MASTER_CHANNEL 8 /* distance of the two channels' bus-master registers */
#define STATUS_FLOATING 0xff /* no drive pulls the bus */

#define PIO_SECTORS 256u /* per command */
#define DMA_FAILURES_MAX 3

static const struct {
    uint16_t base, control;
} legacy_ports[2] = {{0x1f0, 0x3f6}, {0x170, 0x376}};

static unsigned disk_count;

/* Moves one command's data out of the drive, a block of d->multiple sectors per DRQ. */
static int pio_transfer(const struct ide_drive *d, uint32_t count, uint8_t *to) {
    while (count > 0) {
        int status = ide_wait_idle(d->channel, IDE_COMMAND_MS);
        if (status < 0 || status & (ATA_STATUS_ERR | ATA_STATUS_DF) || !(status & ATA_STATUS_DRQ))
            return -1;
        uint32_t n = count < d->multiple ? count : d->multiple;
        insw(d->channel->base + IDE_DATA, to, n * BLOCK_SECTOR / 2);
        to += (size_t)n * BLOCK_SECTOR;
        count -= n;
    }
    int status = ide_wait_idle(d->channel, IDE_COMMAND_MS);
    inb(d->channel->base + IDE_STATUS);
    return status < 0 || status & (ATA_STATUS_ERR | ATA_STATUS_DF | ATA_STATUS_DRQ) ? -1 : 0;
}

static int pio_read(const struct ide_drive *d, uint64_t lba, uint32_t count, uint8_t *to) {
    static const uint8_t commands[2][2] = {{ATA_READ_SECTORS, ATA_READ_SECTORS_EXT},
                                           {ATA_READ_MULTIPLE, ATA_READ_MULTIPLE_EXT}};
    while (count > 0) {
        uint32_t n = count < PIO_SECTORS ? count : PIO_SECTORS;
        bool ext = d->id.lba48 && lba + n > ATA_LBA28_LIMIT; /* else fewer port writes */
        if (!ide_select(d))
            return -1;
        ide_start_command(d, commands[d->multiple > 1][ext], ext, lba, n);
        if (pio_transfer(d, n, to))
            return -1;
        to += (size_t)n * BLOCK_SECTOR;
        lba += n;
        count -= n;
    }
    return 0;
}

static bool recover(struct ide_drive *d) {
    if (!ide_soft_reset(d->channel))
        return false;
    ide_set_multiple(d);
    return true;
}

/* Reads what fits one DMA command. A failed attempt is repeated once, by PIO; a drive on which DMA
 * keeps failing where PIO works is read by PIO from then on. */
static int read_chunk(struct ide_drive *d, uint64_t lba, uint32_t count, uint8_t *to) {
    int first = d->dma ? ide_dma_read(d, lba, count, to) : pio_read(d, lba, count, to);
    if (first == 0) {
        d->dma_failures = 0;
        return 0;
    }
    if (!recover(d))
        return -1;
    if (pio_read(d, lba, count, to) == 0) {
        if (++d->dma_failures == DMA_FAILURES_MAX)
            d->dma = false;
        return 0;
    }
    recover(d); /* leaves the drive usable for other sectors */
    return -1;
}

static int ide_read(struct block_device *device, uint64_t lba, uint32_t count, void *buffer) {
    struct ide_drive *d = device->driver;
    uint8_t *to = buffer;
    uint64_t end = (uint64_t)(uintptr_t)to + (uint64_t)count * BLOCK_SECTOR;
    bool bounce = d->dma && d->channel->bounce && end > IDE_DMA_END;
    uint32_t most = (bounce ? IDE_BOUNCE_BYTES : IDE_DMA_BYTES) / BLOCK_SECTOR;
    if (!d->id.lba48)
        most = ATA_LBA28_SECTORS_MAX;
    while (count > 0) {
        uint32_t n = count < most ? count : most;
        if (read_chunk(d, lba, n, bounce ? d->channel->bounce : to))
            return -1;
        if (bounce)
            memcpy(to, d->channel->bounce, (size_t)n * BLOCK_SECTOR);
        to += (size_t)n * BLOCK_SECTOR;
        lba += n;
        count -= n;
    }
    return 0;
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
    if (ide_wait_idle(c, IDE_COMMAND_MS) < 0)
        return false;
    /* ATAPI and SATA-bridged drives refuse and leave their signature (ATA8-ACS section 7.12.6). */
    if (inb(c->base + IDE_LBA_MID) | inb(c->base + IDE_LBA_HIGH))
        return false;
    d->multiple = 1;
    return pio_transfer(d, 1, (uint8_t *)words) == 0 && ata_parse_identity(words, &d->id);
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
        struct block_device disk = {.sectors = d->id.sectors, .read = ide_read, .driver = d};
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
