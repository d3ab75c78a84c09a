/* ata.h - what AHCI and IDE share: commands, status bits, IDENTIFY DEVICE data (ATA8-ACS). */
#ifndef KERNEL_DEV_ATA_H
#define KERNEL_DEV_ATA_H

#include <stdbool.h>
#include <stdint.h>

#define ATA_READ_SECTORS 0x20
#define ATA_READ_SECTORS_EXT 0x24
#define ATA_READ_DMA_EXT 0x25
#define ATA_READ_MULTIPLE_EXT 0x29
#define ATA_WRITE_SECTORS 0x30
#define ATA_WRITE_SECTORS_EXT 0x34
#define ATA_WRITE_DMA_EXT 0x35
#define ATA_WRITE_MULTIPLE_EXT 0x39
#define ATA_READ_MULTIPLE 0xc4
#define ATA_WRITE_MULTIPLE 0xc5
#define ATA_SET_MULTIPLE_MODE 0xc6
#define ATA_READ_DMA 0xc8
#define ATA_WRITE_DMA 0xca
#define ATA_FLUSH_CACHE 0xe7
#define ATA_FLUSH_CACHE_EXT 0xea
#define ATA_IDENTIFY 0xec

#define ATA_STATUS_ERR 0x01
#define ATA_STATUS_DRQ 0x08
#define ATA_STATUS_DF 0x20
#define ATA_STATUS_BSY 0x80

#define ATA_DEVICE_LBA 0x40

#define ATA_LBA28_SECTORS_MAX 256u /* per command; a count of 0 in the register means 256 */
#define ATA_LBA28_LIMIT 0x0fffffffull

/* Between two looks at a drive: an emulator needs time of its own to do the drive's work. */
#define ATA_POLL_US 20

/* A drive that has to spin up or to retry a weak sector may take several seconds. FLUSH CACHE "may
 * take longer than 30 s" (ATA8-ACS section 7.24.2). */
#define ATA_COMMAND_MS 15000
#define ATA_FLUSH_MS 60000

/* Keeps memory accesses on the two sides of starting or ending DMA apart in the compiled code. */
static inline void compiler_barrier(void) {
    __asm__ volatile("" : : : "memory");
}

struct ata_identity {
    uint64_t sectors;  /* of 512 bytes */
    uint32_t multiple; /* largest block of READ MULTIPLE in sectors, 0: not supported */
    bool lba48;
    bool dma;              /* a DMA mode is selected, so the firmware has set up its timing */
    uint8_t flush_command; /* 0: no write cache that is switched on */
};

/* Reads the 256 words of IDENTIFY DEVICE. false: not a disk with LBA and sectors of 512 bytes. */
bool ata_parse_identity(const uint16_t words[256], struct ata_identity *id);

#endif
