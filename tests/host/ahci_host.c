/* ahci_host.c - one AHCI port of the kernel's driver, on a controller that is played: its registers
 * are memory, and it gets its turn whenever the driver waits.
 *
 *     ahci_host FAULT COUNT     the controller does it COUNT times, then no more
 *
 * Prints the result of a write, a read and a flush, how long the longest took, and whether the disk
 * works afterwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/ata.h"
static void step(void);
#define compiler_barrier() step()

#include "dev/ahci_port.c"

#define SECTORS 64u
#define DISK_SIGNATURE 0x101u
#define IDLE 0x50u
#define LINK_PRESENT 0x123u
#define TRANSFER 8u /* sectors */

enum fault { NONE, SILENT, STUCK, ERROR, BUSY, SHORT, LINK };
static const char *const fault_names[] = {"none", "silent", "stuck", "error",
                                          "busy", "short",  "link"};

static struct ahci_regs hba;
static struct ahci_port port = {.hba = &hba, .regs = &hba.port[3]};
static volatile struct ahci_port_regs *const regs = &hba.port[3];
static uint8_t disk[SECTORS * BLOCK_SECTOR];
static enum fault fault;
static unsigned faults_left, commands, controller_resets, link_resets;
static bool started; /* the command that is under way was looked at */
static uint64_t now_us;

uint64_t time_ms(void) {
    return now_us / 1000;
}

void time_delay_us(uint32_t us) {
    now_us += us * 50ull;
    step();
}

void *pages_alloc(size_t count, size_t align, uint64_t below) {
    (void)below;
    return aligned_alloc(align, count * PAGE_SIZE);
}

void pages_free(void *first, size_t count) {
    (void)count;
    free(first);
}

static void serve(void) {
    struct command_header *header = &port.memory->list[0];
    struct command_table *table = &port.memory->table;
    const uint8_t *fis = table->fis;
    uint64_t lba = fis[4] | fis[5] << 8 | fis[6] << 16;
    uint8_t *at = disk + lba * BLOCK_SECTOR;
    uint32_t bytes = header->prd_count ? table->prd.last_byte + 1 : 0;
    void *buffer = (void *)((uintptr_t)table->prd.low | (uint64_t)table->prd.high << 32);
    bool write = fis[2] == ATA_WRITE_DMA_EXT;
    if (fis[0] != FIS_HOST_TO_DEVICE || lba + bytes / BLOCK_SECTOR > SECTORS ||
        write != !!(header->flags & HEADER_WRITE) || (fis[2] == ATA_FLUSH_CACHE_EXT) != !bytes)
        abort();
    if (bytes > 0)
        memcpy(write ? at : buffer, write ? buffer : at, bytes);
    header->bytes = fault == SHORT ? bytes / 2 : bytes;
    regs->ci = 0;
}

/* A new command: with the fault while there are any left. */
static void take(void) {
    started = true;
    commands++;
    if (faults_left == 0)
        fault = NONE;
    else
        faults_left--;
    if (fault == NONE || fault == SHORT) {
        regs->tfd = IDLE;
        serve();
    } else if (fault == ERROR) {
        regs->tfd = IDLE | ATA_STATUS_ERR;
        regs->is = IS_TFES;
    } else {
        regs->tfd = IDLE | ATA_STATUS_BSY;
        if (fault == LINK)
            regs->ssts = 0;
    }
}

/* A busy drive takes notice of COMRESET only. */
static void reset_device(bool comreset) {
    bool busy = fault == BUSY && !(comreset && faults_left == 0);
    regs->sig = DISK_SIGNATURE;
    regs->tfd = busy ? IDLE | ATA_STATUS_BSY : IDLE;
    regs->ssts = fault == LINK ? 0 : LINK_PRESENT;
}

static void step(void) {
    static bool resetting;
    if (regs->is == 0xffffffff) /* written by the driver, which clears it */
        regs->is = 0;
    if (regs->serr == 0xffffffff)
        regs->serr = 0;
    if (hba.ghc & AHCI_GHC_HR && fault != STUCK) {
        controller_resets++;
        hba.ghc = 0;
        regs->cmd = regs->ci = 0;
        started = false;
        reset_device(false);
    }
    if ((regs->sctl & SCTL_DET_MASK) == SCTL_DET_RESET) {
        resetting = true;
    } else if (resetting) {
        resetting = false;
        link_resets++;
        reset_device(true);
    }
    if (regs->cmd & CMD_CLO) {
        regs->cmd &= ~CMD_CLO;
        if (fault != BUSY)
            regs->tfd = IDLE;
    }
    regs->cmd = (regs->cmd & ~(CMD_CR | CMD_FR)) | (regs->cmd & CMD_ST ? CMD_CR : 0) |
                (regs->cmd & CMD_FRE ? CMD_FR : 0);
    if (!(regs->cmd & CMD_ST))
        regs->ci = 0; /* section 3.3.14 */
    if (!(regs->ci & 1))
        started = false;
    else if (!started)
        take();
}

static int run(uint8_t code, void *buffer) {
    bool flush = code == ATA_FLUSH_CACHE_EXT;
    struct ahci_command command = {.command = code,
                                   .write = code == ATA_WRITE_DMA_EXT,
                                   .lba = flush ? 0 : 5,
                                   .count = flush ? 0 : TRANSFER,
                                   .buffer = flush ? NULL : buffer,
                                   .bytes = flush ? 0 : TRANSFER * BLOCK_SECTOR,
                                   .ms = flush ? ATA_FLUSH_MS : ATA_COMMAND_MS,
                                   .attempts = flush ? 1 : 2};
    return ahci_port_command(&port, &command);
}

static const char *result(int value) {
    return value == BLOCK_DONE ? "done" : value == BLOCK_FAILED ? "failed" : "timed-out";
}

int main(int argc, char **argv) {
    static const uint8_t codes[] = {ATA_WRITE_DMA_EXT, ATA_READ_DMA_EXT, ATA_FLUSH_CACHE_EXT};
    static uint8_t data[TRANSFER * BLOCK_SECTOR];
    enum fault wanted = NONE;
    uint64_t longest = 0;
    if (argc != 3)
        return 2;
    while (strcmp(fault_names[wanted], argv[1]) != 0)
        wanted++;
    reset_device(true);
    if (!ahci_port_open(&port))
        return 3;
    for (unsigned i = 0; i < sizeof codes; i++) {
        uint64_t begin = time_ms();
        fault = wanted;
        faults_left = (unsigned)atoi(argv[2]);
        memset(data, 0x40 + (int)i, sizeof data);
        int value = run(codes[i], data);
        printf("%s ", result(value));
        if (value == BLOCK_DONE && codes[i] == ATA_READ_DMA_EXT && data[0] != 0x40)
            abort();
        longest = time_ms() - begin > longest ? time_ms() - begin : longest;
    }
    if (fault == LINK)
        regs->ssts = LINK_PRESENT; /* plugged in again */
    fault = NONE;
    faults_left = 0;
    memset(data, 0x77, sizeof data);
    bool usable = run(ATA_WRITE_DMA_EXT, data) == BLOCK_DONE && disk[5 * BLOCK_SECTOR] == 0x77;
    printf("%s %llu s, %u commands, resets: controller %u link %u\n",
           usable ? "usable" : "unusable", (unsigned long long)longest / 1000, commands,
           controller_resets, link_resets);
    ahci_port_close(&port);
    return 0;
}
