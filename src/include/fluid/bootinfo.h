/* bootinfo.h - what the boot sectors read from the disk and what they hand to the kernel.
 *
 * The boot area of the disk is described by one 512-byte manifest at LBA 1. It is written by
 * site_scons/fluid/manifest.py, the owner of this layout (of struct kernel_header: kernelfile.py);
 * tests/unit/test_layouts.py holds the two against each other. stage1 reads the manifest to find
 * stage2, stage2 reads it to find the blobs. All integers are little-endian, all addresses
 * physical. */
#ifndef FLUID_BOOTINFO_H
#define FLUID_BOOTINFO_H

#define BOOT_MANIFEST_LBA 1
#define BOOT_MANIFEST_ADDR 0x7e00
#define BOOT_MANIFEST_VERSION 1
#define BOOT_MANIFEST_MAX_BLOBS 8
#define BOOT_STAGE2_ADDR 0x8000
#define BOOT_STAGE2_MAGIC 0x32534c46 /* "FLS2", at BOOT_STAGE2_ADDR + 4 */
#define BOOT_KERNEL_MAX (16 << 20)   /* bytes of kernel file, checked by build and stage2 */
#define BOOT_BUILD_ID_SIZE 16

/* Kinds of blob; each occurs at most once, the kernel always. */
#define BOOT_BLOB_KERNEL 1   /* flat kernel, loaded at .load, .mem_size includes .bss */
#define BOOT_BLOB_KSYMS 2    /* symbol table for backtraces (load/ksyms.h) */
#define BOOT_BLOB_REGISTRY 3 /* registry of modules (registry.h) */

#define BOOT_BLOB_CHECKED 1 /* flag: stage2 must refuse the blob when its CRC-32 is wrong */

#define BOOTINFO_MAGIC 0x42444c46 /* "FLDB"; in EAX at kernel entry, and first field */
#define BOOTINFO_VERSION 1
#define BOOTINFO_E820_MAX 128

#define E820_USABLE 1

#define KERNEL_HEADER_MAGIC 0x4e524b46 /* "FKRN" */
#define BOOT_TARGET_SIZE 16
#define BOOT_MACHINE_I386 3    /* EM_386 */
#define BOOT_MACHINE_X86_64 62 /* EM_X86_64 */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct boot_blob {
    uint32_t kind;     /* BOOT_BLOB_* */
    uint32_t flags;    /* BOOT_BLOB_CHECKED */
    uint32_t lba;      /* first sector */
    uint32_t sectors;  /* 512-byte sectors, = ceil(size / 512) */
    uint32_t size;     /* bytes */
    uint32_t load;     /* physical address; 0: first free page after the blob before */
    uint32_t mem_size; /* bytes to reserve at load (>= size; kernel: including .bss) */
    uint32_t crc32;    /* IEEE 802.3 CRC over size bytes */
};

struct boot_manifest { /* 512 bytes at LBA 1 */
    char magic[8];     /* "FLUIDBM1" */
    uint32_t version;
    uint32_t crc32; /* over the 512 bytes with this field zero */
    uint8_t build_id[BOOT_BUILD_ID_SIZE];
    uint32_t stage2_lba;
    uint32_t stage2_sectors;
    uint32_t stage2_size;
    uint32_t stage2_crc32;
    uint32_t kernel_entry; /* physical address of the 32-bit entry point */
    uint32_t blob_count;
    struct boot_blob blob[BOOT_MANIFEST_MAX_BLOBS];
    uint8_t reserved[200];
};
_Static_assert(sizeof(struct boot_manifest) == 512, "the manifest is one sector");

/* First bytes of the flat kernel (arch/x86/target.c, linked there by kernel.ld). */
struct kernel_header {
    uint32_t magic; /* KERNEL_HEADER_MAGIC */
    uint32_t header_size;
    uint8_t build_id[BOOT_BUILD_ID_SIZE]; /* written by the image builder: the manifest's */
    char target[BOOT_TARGET_SIZE];        /* CPU tag of the image: "x86-64-v2", NUL-padded */
    uint64_t cpu_bits; /* enum fluid_cpu_feature: what the kernel's code may use anywhere */
    uint32_t machine;  /* BOOT_MACHINE_* */
    uint32_t reserved;
};
_Static_assert(sizeof(struct kernel_header) == 56, "the same in 32-bit stage2 and any kernel");

struct e820_entry {
    _Alignas(8) uint64_t base; /* as 64-bit code expects it, also where 32-bit stage2 puts it */
    uint64_t length;
    uint32_t type; /* E820_USABLE or reserved kinds; ACPI 6.5 section 15.1 */
    uint32_t attributes;
};

struct boot_loaded {
    uint32_t addr; /* 0: absent */
    uint32_t size; /* bytes of content */
    uint32_t mem_size;
};

/* Handed to the kernel: EAX = BOOTINFO_MAGIC, EBX = physical address of this structure, below 1
 * MiB. 32-bit protected mode, flat segments, paging off, interrupts off, A20 on. */
struct bootinfo {
    uint32_t magic;
    uint32_t version;
    uint32_t size;       /* sizeof(struct bootinfo) */
    uint32_t boot_drive; /* BIOS drive number */
    uint8_t build_id[BOOT_BUILD_ID_SIZE];
    struct boot_loaded kernel, ksyms, registry;
    uint32_t e820_count;
    struct e820_entry e820[BOOTINFO_E820_MAX];
};
_Static_assert(offsetof(struct bootinfo, e820) == 72,
               "same layout in 32-bit stage2 and any kernel");
#endif
#endif
