/* stage2_disk.c - reads sectors with the BIOS (Phoenix EDD 3.0, int 13h AH=42h) into a bounce
 * buffer below 1 MiB and copies them to where they belong. */
#include "stage2.h"

#define BIOS_DISK 0x13
#define DISK_TRIES 4
#define SECTOR 512u

struct edd_packet {
    uint8_t size;
    uint8_t reserved;
    uint16_t sectors;
    uint16_t offset, segment;
    uint64_t lba;
};
_Static_assert(sizeof(struct edd_packet) == 16, "EDD 3.0 section 4.2");

static uint8_t drive;
static struct edd_packet packet;

void disk_init(uint8_t bios_drive) {
    drive = bios_drive;
}

/* 0, or the status of the BIOS. */
static uint8_t bounce_read(uint32_t lba, uint32_t sectors) {
    packet = (struct edd_packet){.size = sizeof(packet),
                                 .sectors = (uint16_t)sectors,
                                 .segment = BOUNCE_SEGMENT,
                                 .lba = lba};
    struct bios_regs regs = {.eax = 0x4200, .edx = drive, .esi = (uint32_t)&packet};
    bios_call(BIOS_DISK, &regs);
    if (!(regs.eflags & EFLAGS_CF))
        return 0;
    uint8_t status = (uint8_t)(regs.eax >> 8);
    return status != 0 ? status : 0xff;
}

static void disk_reset(void) {
    bios_call(BIOS_DISK, &(struct bios_regs){.eax = 0, .edx = drive});
}

void disk_read(uint32_t lba, uint32_t size, void *to, void (*done)(uint32_t sectors)) {
    uint8_t *at = to;
    while (size > 0) {
        uint32_t bytes = size < BOUNCE_SECTORS * SECTOR ? size : BOUNCE_SECTORS * SECTOR;
        uint32_t sectors = (bytes + SECTOR - 1) / SECTOR;
        uint8_t status = bounce_read(lba, sectors);
        for (int i = 1; status != 0 && i < DISK_TRIES; i++) {
            disk_reset();
            status = bounce_read(lba, sectors);
        }
        if (status != 0)
            fail(45,
                 "%u readable sectors expected at LBA %u of drive %xh, found BIOS status %xh; disk "
                 "damaged or image cut short: write it again",
                 sectors, lba, (uint32_t)drive, (uint32_t)status);
        memcpy(at, (const void *)BOUNCE_ADDR, bytes);
        done(sectors);
        at += bytes;
        lba += sectors;
        size -= bytes;
    }
}
