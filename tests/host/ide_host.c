/* ide_host.c - the kernel's IDE driver on a drive and a bus-master controller that are played.
 *
 *     ide_host FAULT COUNT     the drive does it COUNT times, then no more
 *
 * Prints a line for a write, a read and a flush each, then how the disk is used afterwards. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86/port.h"
static void played_out(uint16_t port, uint32_t value);
static uint32_t played_in(uint16_t port);
static void move_words(void *buffer, uint32_t words, int write);
#define outb(port, value) played_out(port, value)
#define outl(port, value) played_out(port, value)
#define inb(port) ((uint8_t)played_in(port))
#define insw(port, buffer, words) move_words(buffer, words, (port) == BASE ? 0 : abort_now())
#define outsw(port, buffer, words)                                                                 \
    move_words((void *)(uintptr_t)(buffer), words, (port) == BASE ? 1 : abort_now())

#define BASE 0x1f0
#define CONTROL 0x3f6
#define BUS_MASTER 0xc000

static int abort_now(void) {
    abort();
}

#include "dev/ide_channel.c"
#include "dev/ide_dma.c"
#include "dev/ide_pio.c"
#include "dev/ide.c"

#define SECTORS 4096u
#define MULTIPLE 16u
#define READY 0x50

enum fault { NONE, SILENT, STUCK, ERROR, DMA_SILENT, DMA_ERROR };
static const char *const fault_names[] = {"none",  "silent",     "stuck",
                                          "error", "dma-silent", "dma-error"};

static struct {
    uint8_t registers[8], before[8]; /* what was written, and what before that */
    uint8_t status, bm_command, bm_status;
    uint32_t prdt;
    uint8_t command;
    bool ext, write;
    uint8_t *data; /* of the transfer under way */
    uint32_t left; /* bytes of it */
    uint32_t block;
} drive = {.status = READY};
static uint8_t disk[SECTORS * BLOCK_SECTOR];
static uint16_t identity[256];
static enum fault fault;
static unsigned faults_left, resets, dma_commands, pio_commands;
static uint64_t now_us;

uint64_t time_ms(void) {
    return now_us / 1000;
}

void time_delay_us(uint32_t us) {
    now_us += us * 50ull;
}

uint64_t pages_top(void) {
    return 1ull << 32;
}

/* IDE's DMA has addresses of 32 bits. */
static void *low_memory(size_t size) {
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

void *pages_alloc(size_t count, size_t align, uint64_t below) {
    (void)align;
    (void)below;
    return low_memory(count * PAGE_SIZE);
}

void *kzalloc(size_t size) {
    return calloc(1, size);
}

void kfree(void *memory) {
    free(memory);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    (void)format;
    return snprintf(to, size, "ide0");
}

unsigned pci_count(void) {
    return 1;
}

const struct pci_device *pci_get(unsigned index) {
    static const struct pci_device controller = {
        .class_code = 1,
        .subclass = 1,
        .prog_if = 0x80,
        .bar[4] = {.base = BUS_MASTER, .size = 16, .io = true},
    };
    (void)index;
    return &controller;
}

void pci_enable(const struct pci_device *d) {
    (void)d;
}

static uint64_t address(void) {
    const uint8_t *r = drive.registers, *b = drive.before;
    uint64_t low = r[IDE_LBA_LOW] | r[IDE_LBA_MID] << 8 | r[IDE_LBA_HIGH] << 16;
    if (drive.ext)
        return low | (uint64_t)b[IDE_LBA_LOW] << 24;
    return low | (uint64_t)(r[IDE_DEVICE] & 0xf) << 24;
}

static uint32_t sectors(void) {
    uint32_t count = drive.registers[IDE_COUNT];
    if (drive.ext)
        return count | (uint32_t)drive.before[IDE_COUNT] << 8;
    return count == 0 ? 256 : count;
}

static bool is_dma(uint8_t command) {
    return command == ATA_READ_DMA || command == ATA_READ_DMA_EXT || command == ATA_WRITE_DMA ||
           command == ATA_WRITE_DMA_EXT;
}

static void begin_data(void) {
    uint64_t lba = address();
    if (lba + sectors() > SECTORS)
        abort();
    drive.data = disk + lba * BLOCK_SECTOR;
    drive.left = sectors() * BLOCK_SECTOR;
}

/* The data of the command passes when the controller starts. */
static void run_dma(void) {
    const struct ide_prd *prd = (const void *)(uintptr_t)drive.prdt;
    for (bool last = false; !last; prd++) {
        uint32_t bytes = prd->bytes == 0 ? PRD_BOUNDARY : prd->bytes;
        void *memory = (void *)(uintptr_t)prd->address;
        if (bytes > drive.left ||
            prd->address / PRD_BOUNDARY != (prd->address + bytes - 1) / PRD_BOUNDARY)
            abort();
        memcpy(drive.write ? drive.data : memory, drive.write ? memory : drive.data, bytes);
        drive.data += bytes;
        drive.left -= bytes;
        last = prd->flags & PRD_LAST;
    }
    if (drive.left != 0)
        abort();
    drive.status = READY;
    drive.bm_status = (drive.bm_status & ~BM_STATUS_ACTIVE) | BM_STATUS_INTERRUPT;
}

static void execute(uint8_t command) {
    bool dma = is_dma(command),
         set_up = command == ATA_IDENTIFY || command == ATA_SET_MULTIPLE_MODE;
    bool faulty = faults_left > 0 && !set_up && (fault < DMA_SILENT || dma) && fault != NONE;
    drive.command = command;
    drive.ext = command == ATA_READ_DMA_EXT || command == ATA_WRITE_DMA_EXT;
    drive.write = command == ATA_WRITE_DMA_EXT || command == ATA_WRITE_MULTIPLE;
    drive.left = 0;
    dma_commands += dma;
    pio_commands += command == ATA_READ_MULTIPLE || command == ATA_WRITE_MULTIPLE;
    if (faulty)
        faults_left--;
    if (faulty && (fault == ERROR || fault == DMA_ERROR)) {
        drive.status = READY | ATA_STATUS_ERR;
        return;
    }
    if (faulty) {
        drive.status = ATA_STATUS_BSY;
        return;
    }
    drive.status = READY;
    drive.block = MULTIPLE * BLOCK_SECTOR;
    if (dma) {
        begin_data();
        drive.status |= ATA_STATUS_DRQ;
    } else if (command == ATA_IDENTIFY) {
        drive.data = (uint8_t *)identity;
        drive.left = sizeof identity;
        drive.status |= ATA_STATUS_DRQ;
    } else if (command == ATA_READ_MULTIPLE || command == ATA_WRITE_MULTIPLE) {
        begin_data();
        drive.status |= ATA_STATUS_DRQ;
    } else if (command != ATA_SET_MULTIPLE_MODE && command != ATA_FLUSH_CACHE_EXT) {
        abort();
    }
}

static void move_words(void *buffer, uint32_t words, int write) {
    uint32_t bytes = words * 2;
    if (!(drive.status & ATA_STATUS_DRQ) || bytes > drive.left || bytes > drive.block ||
        (drive.command != ATA_IDENTIFY && write != drive.write))
        abort();
    memcpy(write ? drive.data : buffer, write ? buffer : drive.data, bytes);
    drive.data += bytes;
    drive.left -= bytes;
    if (drive.left == 0)
        drive.status = READY;
}

static void played_out(uint16_t port, uint32_t value) {
    if (port == CONTROL && value & CONTROL_RESET) {
        resets++;
        drive.left = 0;
        drive.status = fault == STUCK ? ATA_STATUS_BSY : READY;
        memset(drive.registers, 0, sizeof drive.registers);
    } else if (port == BASE + IDE_COMMAND) {
        execute((uint8_t)value);
    } else if (port > BASE && port < BASE + IDE_COMMAND) {
        drive.before[port - BASE] = drive.registers[port - BASE];
        drive.registers[port - BASE] = (uint8_t)value;
    } else if (port == BUS_MASTER + BM_COMMAND) {
        drive.bm_command = (uint8_t)value;
        if (!(value & BM_COMMAND_START))
            drive.bm_status &= ~BM_STATUS_ACTIVE;
        else if (drive.status & ATA_STATUS_DRQ)
            run_dma();
        else
            drive.bm_status |= BM_STATUS_ACTIVE;
    } else if (port == BUS_MASTER + BM_STATUS) {
        drive.bm_status &= (uint8_t)~(value & (BM_STATUS_ERROR | BM_STATUS_INTERRUPT));
    } else if (port == BUS_MASTER + BM_PRDT) {
        drive.prdt = value;
    }
}

static uint32_t played_in(uint16_t port) {
    bool slave = drive.registers[IDE_DEVICE] & 0x10;
    if (port == BASE + IDE_STATUS || port == CONTROL)
        return slave ? 0 : drive.status;
    if (port >= BASE && port < BASE + 8)
        return slave ? 0 : drive.registers[port - BASE];
    if (port == BUS_MASTER + BM_STATUS)
        return drive.bm_status;
    return 0xff; /* nothing there */
}

/* IDENTIFY DEVICE, ATA8-ACS section 7.12.7. */
static void make_identity(void) {
    identity[47] = 0x8000 | MULTIPLE;
    identity[49] = 1u << 9 | 1u << 8;
    identity[60] = SECTORS;
    identity[82] = identity[85] = 1u << 5;
    identity[83] = 0x4000 | 1u << 13 | 1u << 10;
    identity[88] = 0x203f;
    identity[100] = SECTORS;
}

int main(int argc, char **argv) {
    struct block_device *d;
    struct fluid_error err;
    enum fault wanted = NONE;
    uint32_t count = 300, bytes = count * BLOCK_SECTOR;
    uint64_t longest = 0;
    uint8_t *data = low_memory(bytes);
    if (argc != 3)
        return 2;
    while (strcmp(fault_names[wanted], argv[1]) != 0)
        wanted++;
    make_identity();
    ide_init();
    d = block_get(0);
    if (!d || d->sectors != SECTORS || block_count() != 1)
        return 3;
    for (unsigned kind = 0; kind < 3; kind++) {
        uint64_t begin = time_ms();
        fault = wanted;
        faults_left = (unsigned)atoi(argv[2]);
        memset(data, 0x40 + (int)kind, bytes);
        int result = kind == 0   ? block_write(d, 7, count, data, "it", &err)
                     : kind == 1 ? block_read(d, 7, count, data, "it", &err)
                                 : block_flush(d, &err);
        printf("%s\n", result ? err.code : "ok");
        if (kind == 1 && result == 0 && (data[0] != 0x40 || data[bytes - 1] != 0x40))
            abort();
        longest = time_ms() - begin > longest ? time_ms() - begin : longest;
    }
    for (unsigned i = 0; i < 2 && faults_left > 1; i++)
        block_read(d, 7, count, data, "it", &err);
    fault = NONE;
    dma_commands = pio_commands = 0;
    drive.status &= wanted == STUCK ? (uint8_t)~ATA_STATUS_BSY : 0xff; /* it comes to itself */
    memset(data, 0x77, bytes);
    if (block_write(d, 7, count, data, "it", &err) != 0 || disk[8 * BLOCK_SECTOR] != 0x77)
        printf("unusable ");
    printf("by %s\n%llu\n%u resets\n",
           dma_commands   ? "DMA"
           : pio_commands ? "PIO"
                          : "nothing",
           (unsigned long long)longest / 1000, resets);
    return 0;
}
