/* ide_channel.h - one IDE channel (two drives), its registers and the two ways to move data.
 * Register names as in ATA8-APT; the bus-master half as in "Programming Interface for Bus Master
 * IDE", 1994. */
#ifndef KERNEL_DEV_IDE_CHANNEL_H
#define KERNEL_DEV_IDE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/ata.h"
#include "dev/block.h"

/* Offsets from the command block. */
#define IDE_DATA 0
#define IDE_COUNT 2
#define IDE_LBA_LOW 3
#define IDE_LBA_MID 4
#define IDE_LBA_HIGH 5
#define IDE_DEVICE 6
#define IDE_STATUS 7  /* when read */
#define IDE_COMMAND 7 /* when written */

struct ide_channel {
    uint16_t base;       /* command block */
    uint16_t control;    /* device control when written, alternate status when read */
    uint16_t bus_master; /* 0: no DMA */
    struct ide_prd *prdt;
    uint8_t *bounce; /* below 4 GiB; NULL when all memory is */
};

struct ide_drive {
    struct ide_channel *channel;
    uint8_t unit; /* 0 master, 1 slave */
    struct ata_identity id;
    uint32_t multiple; /* sectors per DRQ block, 1 without READ MULTIPLE */
    bool dma;
    unsigned dma_failures; /* in a row, where PIO then worked */
};

/* Alternate status, read often enough for the register to be valid (400 ns after a command). */
uint8_t ide_settled_status(const struct ide_channel *c);
/* Waits until BSY is clear; returns the status, -1 on time-out. */
int ide_wait_idle(const struct ide_channel *c, uint32_t ms);
/* Selects the drive and waits until it can take a command. */
bool ide_select(const struct ide_drive *d);
/* Resets both drives of the channel. */
bool ide_soft_reset(const struct ide_channel *c);
/* Writes address and count for a drive that is selected and starts the command. count 1 .. 256, or
 * 65536 with LBA48; ext tells which. */
void ide_start_command(const struct ide_drive *d, uint8_t command, bool ext, uint64_t lba,
                       uint32_t count);
/* Tells the drive how many sectors to move per DRQ (lost by a reset); sets d->multiple. */
void ide_set_multiple(struct ide_drive *d);

/* ide_dma.c */
#define IDE_DMA_BYTES (1u << 20) /* most that one command moves: a slow disk does it in time */
#define IDE_DMA_END (1ull << 32) /* PRDs have 32-bit addresses */
/* Allocates the PRD table; clears c->bus_master when DMA cannot be used. */
void ide_dma_init(struct ide_channel *c);
/* Moves count sectors (<= IDE_DMA_BYTES) to or from a buffer below IDE_DMA_END. A BLOCK_ result. */
int ide_dma_run(const struct ide_drive *d, bool write, uint64_t lba, uint32_t count, void *buffer);

/* ide_pio.c */
/* Moves count sectors by programmed I/O. A BLOCK_ result. */
int ide_pio_run(const struct ide_drive *d, bool write, uint64_t lba, uint32_t count, void *buffer);
/* Takes the data of a command that has been started out of the drive. A BLOCK_ result. */
int ide_pio_receive(const struct ide_drive *d, uint32_t count, uint8_t *to);
/* Waits for the end of a command without data, or behind its data. A BLOCK_ result. */
int ide_command_end(const struct ide_channel *c, uint32_t ms);

#endif
