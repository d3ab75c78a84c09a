/* ide_channel.c - selecting, resetting and commanding the drives of one IDE channel (ATA8-APT). */
#include "dev/ide_channel.h"

#include "arch/x86/port.h"
#include "arch/x86/time.h"

#define DEVICE_UNIT 0x10
#define DEVICE_OBSOLETE 0xa0 /* bits 7 and 5: ones on old drives, ignored by new ones */

#define CONTROL_NO_IRQ 0x02
#define CONTROL_RESET 0x04

#define READY_MS 10000 /* 31 s are allowed, but an unattended boot should not wait so long */

uint8_t ide_settled_status(const struct ide_channel *c) {
    for (unsigned i = 0; i < 4; i++)
        inb(c->control); /* each takes at least 100 ns on the bus */
    return inb(c->control);
}

int ide_wait_idle(const struct ide_channel *c, uint32_t ms) {
    uint64_t begin = time_ms();
    uint8_t status = ide_settled_status(c);
    while (status & ATA_STATUS_BSY) {
        if (time_ms() - begin > ms)
            return -1;
        time_delay_us(ATA_POLL_US);
        status = inb(c->control);
    }
    return status;
}

bool ide_select(const struct ide_drive *d) {
    const struct ide_channel *c = d->channel;
    if (ide_wait_idle(c, READY_MS) < 0)
        return false;
    outb(c->base + IDE_DEVICE, DEVICE_OBSOLETE | (d->unit ? DEVICE_UNIT : 0));
    int status = ide_wait_idle(c, READY_MS);
    return status >= 0 && !(status & ATA_STATUS_DRQ);
}

/* ATA/ATAPI-6 section 9.2: a reset selects drive 0. An emulated one may leave a drive selected that
 * is not there, whose status would seem to say that the reset is over. */
bool ide_soft_reset(const struct ide_channel *c) {
    outb(c->base + IDE_DEVICE, DEVICE_OBSOLETE);
    outb(c->control, CONTROL_NO_IRQ | CONTROL_RESET);
    time_delay_us(10); /* at least 5 us */
    outb(c->control, CONTROL_NO_IRQ);
    time_delay_us(2000); /* before the status may be looked at */
    return ide_wait_idle(c, READY_MS) >= 0;
}

void ide_start_command(const struct ide_drive *d, uint8_t command, bool ext, uint64_t lba,
                       uint32_t count) {
    uint16_t base = d->channel->base;
    uint8_t device = DEVICE_OBSOLETE | ATA_DEVICE_LBA | (d->unit ? DEVICE_UNIT : 0);
    if (ext) { /* each register takes the high byte first */
        outb(base + IDE_COUNT, count >> 8 & 0xff);
        outb(base + IDE_LBA_LOW, lba >> 24 & 0xff);
        outb(base + IDE_LBA_MID, lba >> 32 & 0xff);
        outb(base + IDE_LBA_HIGH, lba >> 40 & 0xff);
    } else {
        device |= lba >> 24 & 0xf;
    }
    outb(base + IDE_COUNT, count & 0xff);
    outb(base + IDE_LBA_LOW, lba & 0xff);
    outb(base + IDE_LBA_MID, lba >> 8 & 0xff);
    outb(base + IDE_LBA_HIGH, lba >> 16 & 0xff);
    outb(base + IDE_DEVICE, device);
    outb(base + IDE_COMMAND, command);
}

void ide_set_multiple(struct ide_drive *d) {
    d->multiple = 1;
    if (d->id.multiple < 2 || !ide_select(d))
        return;
    ide_start_command(d, ATA_SET_MULTIPLE_MODE, false, 0, d->id.multiple);
    int status = ide_wait_idle(d->channel, ATA_COMMAND_MS);
    if (status >= 0 && !(status & (ATA_STATUS_ERR | ATA_STATUS_DF)))
        d->multiple = d->id.multiple;
}
