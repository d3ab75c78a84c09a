/* layout.h - where things lie in low memory while booting, for C, the assembler and linker scripts.
 *
 *   0x00500 .. 0x07c00  stack, growing down (real and protected mode share it)
 *   0x07c00 .. 0x07e00  stage1
 *   0x07e00 .. 0x08000  manifest, as read by stage1
 *   0x08000 .. 0x10000  stage2 with its .bss, which holds struct bootinfo
 *   0x10000 .. 0x1fe00  bounce buffer for BIOS disk reads, one 64 KiB segment, never crossing it
 */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#include "fluid/bootinfo.h"

#define STAGE1_ADDR 0x7c00
#define STAGE1_CODE_MAX 440 /* the disk signature and the partition table follow */
#define BOOT_STACK_TOP STAGE1_ADDR

#define STAGE2_LIMIT 0x10000
#define STAGE2_MAX_SECTORS 64 /* = (STAGE2_LIMIT - BOOT_STAGE2_ADDR) / 512: one EDD read */

#define BOUNCE_SEGMENT 0x1000
#define BOUNCE_ADDR (BOUNCE_SEGMENT * 16)
#define BOUNCE_SECTORS 127 /* the most that every EDD BIOS accepts (Phoenix EDD 3.0, AH=42h) */

#define CRC32_POLYNOMIAL 0xedb88320 /* IEEE 802.3, reflected */

/* Offsets into struct boot_manifest, which the assembler cannot take from C. */
#define MANIFEST_MAGIC_LOW 0x49554c46  /* "FLUI" */
#define MANIFEST_MAGIC_HIGH 0x314d4244 /* "DBM1" */
#define MANIFEST_VERSION 8
#define MANIFEST_CRC32 12
#define MANIFEST_STAGE2_LBA 32
#define MANIFEST_STAGE2_SECTORS 36
#define MANIFEST_STAGE2_SIZE 40
#define MANIFEST_STAGE2_CRC32 44

/* Offsets into struct bios_regs of stage2.h. */
#define BIOS_REGS_EAX 0
#define BIOS_REGS_EBX 4
#define BIOS_REGS_ECX 8
#define BIOS_REGS_EDX 12
#define BIOS_REGS_ESI 16
#define BIOS_REGS_EDI 20
#define BIOS_REGS_EFLAGS 24
#define BIOS_REGS_ES 28
#define BIOS_REGS_SIZE 32

#ifndef __ASSEMBLER__
_Static_assert(offsetof(struct boot_manifest, version) == MANIFEST_VERSION, "layout");
_Static_assert(offsetof(struct boot_manifest, crc32) == MANIFEST_CRC32, "layout");
_Static_assert(offsetof(struct boot_manifest, stage2_lba) == MANIFEST_STAGE2_LBA, "layout");
_Static_assert(offsetof(struct boot_manifest, stage2_sectors) == MANIFEST_STAGE2_SECTORS, "layout");
_Static_assert(offsetof(struct boot_manifest, stage2_size) == MANIFEST_STAGE2_SIZE, "layout");
_Static_assert(offsetof(struct boot_manifest, stage2_crc32) == MANIFEST_STAGE2_CRC32, "layout");
_Static_assert(BOOT_STAGE2_ADDR + STAGE2_MAX_SECTORS * 512 == STAGE2_LIMIT, "layout");
#endif
#endif
