/* ide_pio.c - data of IDE drives through the data port (ATA8-APT, PIO data-in and data-out). */
#include "arch/x86/port.h"
#include "dev/ide_channel.h"

#define PIO_SECTORS 256u /* per command */

#define STATUS_WRONG (ATA_STATUS_ERR | ATA_STATUS_DF)

int ide_command_end(const struct ide_channel *c, uint32_t ms) {
    int status = ide_wait_idle(c, ms);
    inb(c->base + IDE_STATUS); /* acknowledges the drive */
    if (status < 0)
        return BLOCK_TIMED_OUT;
    return status & (STATUS_WRONG | ATA_STATUS_DRQ) ? BLOCK_FAILED : BLOCK_DONE;
}

/* Waits until the drive wants to move the next block. */
static int wait_block(const struct ide_channel *c) {
    int status = ide_wait_idle(c, ATA_COMMAND_MS);
    if (status < 0)
        return BLOCK_TIMED_OUT;
    return status & STATUS_WRONG || !(status & ATA_STATUS_DRQ) ? BLOCK_FAILED : BLOCK_DONE;
}

/* Moves one command's data, a block of d->multiple sectors per DRQ. */
static int move(const struct ide_drive *d, bool write, uint32_t count, uint8_t *at) {
    uint16_t port = d->channel->base + IDE_DATA;
    while (count > 0) {
        int result = wait_block(d->channel);
        if (result != BLOCK_DONE)
            return result;
        uint32_t n = count < d->multiple ? count : d->multiple;
        if (write)
            outsw(port, at, n * BLOCK_SECTOR / 2);
        else
            insw(port, at, n * BLOCK_SECTOR / 2);
        at += n * BLOCK_SECTOR;
        count -= n;
    }
    return ide_command_end(d->channel, ATA_COMMAND_MS);
}

int ide_pio_receive(const struct ide_drive *d, uint32_t count, uint8_t *to) {
    return move(d, false, count, to);
}

int ide_pio_run(const struct ide_drive *d, bool write, uint64_t lba, uint32_t count, void *buffer) {
    static const uint8_t codes[2][2][2] = {
        {{ATA_READ_SECTORS, ATA_READ_SECTORS_EXT}, {ATA_READ_MULTIPLE, ATA_READ_MULTIPLE_EXT}},
        {{ATA_WRITE_SECTORS, ATA_WRITE_SECTORS_EXT}, {ATA_WRITE_MULTIPLE, ATA_WRITE_MULTIPLE_EXT}},
    };
    uint8_t *at = buffer;
    while (count > 0) {
        uint32_t n = count < PIO_SECTORS ? count : PIO_SECTORS;
        bool ext = d->id.lba48 && lba + n > ATA_LBA28_LIMIT; /* else fewer port writes */
        if (!ide_select(d))
            return BLOCK_TIMED_OUT;
        ide_start_command(d, codes[write][d->multiple > 1][ext], ext, lba, n);
        int result = move(d, write, n, at);
        if (result != BLOCK_DONE)
            return result;
        at += n * BLOCK_SECTOR;
        lba += n;
        count -= n;
    }
    return BLOCK_DONE;
}
