/* ide_dma.c - bus-master DMA of IDE controllers ("Programming Interface for Bus Master IDE
 * Controller", revision 1.0, 1994). */
#include "arch/x86/port.h"
#include "arch/x86/time.h"
#include "dev/block_split.h"
#include "dev/ide_channel.h"
#include "mm/pages.h"

/* Register offsets of one channel. */
#define BM_COMMAND 0
#define BM_STATUS 2
#define BM_PRDT 4

#define BM_COMMAND_START 0x01
#define BM_COMMAND_TO_MEMORY 0x08
#define BM_STATUS_ACTIVE 0x01
#define BM_STATUS_ERROR 0x02     /* write one to clear */
#define BM_STATUS_INTERRUPT 0x04 /* write one to clear */

#define PRD_BOUNDARY 0x10000u /* no region may cross it */
#define PRD_LAST 0x8000

struct ide_prd { /* section 1.2 of the programming interface */
    uint32_t address;
    uint16_t bytes; /* 0 means 64 KiB */
    uint16_t flags;
};

_Static_assert((IDE_DMA_BYTES / PRD_BOUNDARY + 1) * sizeof(struct ide_prd) <= PAGE_SIZE,
               "the PRD table is one page, so it crosses no 64 KiB boundary either");

void ide_dma_init(struct ide_channel *c) {
    if (!c->bus_master)
        return;
    c->prdt = pages_alloc(1, PAGE_SIZE, IDE_DMA_END);
    if (pages_top() > IDE_DMA_END)
        c->bounce = pages_alloc(BLOCK_BOUNCE_BYTES / PAGE_SIZE, PAGE_SIZE, IDE_DMA_END);
    if (!c->prdt || (pages_top() > IDE_DMA_END && !c->bounce))
        c->bus_master = 0;
}

static void build_prdt(struct ide_prd *prd, uint32_t address, uint32_t bytes) {
    while (bytes > 0) {
        uint32_t room = PRD_BOUNDARY - address % PRD_BOUNDARY;
        uint32_t n = bytes < room ? bytes : room;
        *prd++ = (struct ide_prd){.address = address, .bytes = n & 0xffff};
        address += n;
        bytes -= n;
    }
    prd[-1].flags = PRD_LAST;
}

/* The drive's interrupt is switched off, and then not every controller sets its own interrupt bit:
 * the transfer has also ended when controller and drive are both idle. */
static bool wait_end(const struct ide_channel *c) {
    uint64_t begin = time_ms();
    for (;;) {
        uint8_t status = inb(c->bus_master + BM_STATUS);
        if (status & (BM_STATUS_INTERRUPT | BM_STATUS_ERROR))
            return true;
        uint8_t drive = inb(c->control);
        if (!(drive & ATA_STATUS_BSY)) {
            if (drive & (ATA_STATUS_ERR | ATA_STATUS_DF))
                return true;
            if (!(status & BM_STATUS_ACTIVE) && !(drive & ATA_STATUS_DRQ))
                return true;
        }
        if (time_ms() - begin > ATA_COMMAND_MS)
            return false;
        time_delay_us(ATA_POLL_US);
    }
}

int ide_dma_run(const struct ide_drive *d, bool write, uint64_t lba, uint32_t count, void *buffer) {
    static const uint8_t codes[2][2] = {{ATA_READ_DMA, ATA_READ_DMA_EXT},
                                        {ATA_WRITE_DMA, ATA_WRITE_DMA_EXT}};
    const struct ide_channel *c = d->channel;
    uint8_t direction = write ? 0 : BM_COMMAND_TO_MEMORY;
    if (!ide_select(d))
        return BLOCK_TIMED_OUT;
    build_prdt(c->prdt, (uint32_t)(uintptr_t)buffer, count * BLOCK_SECTOR);
    uint8_t kept = inb(c->bus_master + BM_STATUS) & ~(BM_STATUS_ERROR | BM_STATUS_INTERRUPT);
    outb(c->bus_master + BM_COMMAND, direction);
    outb(c->bus_master + BM_STATUS, kept | BM_STATUS_ERROR | BM_STATUS_INTERRUPT);
    outl(c->bus_master + BM_PRDT, (uint32_t)(uintptr_t)c->prdt);
    ide_start_command(d, codes[write][d->id.lba48], d->id.lba48, lba, count);
    compiler_barrier();
    outb(c->bus_master + BM_COMMAND, direction | BM_COMMAND_START);
    ide_settled_status(c);
    bool ended = wait_end(c);
    uint8_t status = inb(c->bus_master + BM_STATUS);
    outb(c->bus_master + BM_COMMAND, 0); /* also aborts a transfer that hangs */
    compiler_barrier();
    outb(c->bus_master + BM_STATUS, kept | BM_STATUS_ERROR | BM_STATUS_INTERRUPT);
    if (!ended)
        return BLOCK_TIMED_OUT;
    int result = ide_command_end(c, ATA_COMMAND_MS);
    if (result == BLOCK_DONE && status & (BM_STATUS_ERROR | BM_STATUS_ACTIVE))
        return BLOCK_FAILED;
    return result;
}
