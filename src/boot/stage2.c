/* stage2.c - from the BIOS to the kernel: memory, disk and text through the BIOS, then protected
 * mode for good. stage1 has checked this code and the manifest against their CRC-32. */
#include "stage2.h"

static struct bootinfo boot; /* the kernel reads it at this place */

static void bootinfo_init(const struct boot_manifest *m, uint8_t drive) {
    boot.magic = BOOTINFO_MAGIC;
    boot.version = BOOTINFO_VERSION;
    boot.size = sizeof(boot);
    boot.boot_drive = drive;
    memcpy(boot.build_id, m->build_id, BOOT_BUILD_ID_SIZE);
}

_Noreturn void stage2_main(uint8_t drive);

_Noreturn void stage2_main(uint8_t drive) {
    const struct boot_manifest *m = (const struct boot_manifest *)BOOT_MANIFEST_ADDR;

    console_init();          /* VGA text mode, COM1 */
    manifest_check(m);       /* numbers that fit together */
    bootinfo_init(m, drive); /* what the kernel will be told */
    a20_enable();            /* memory above 1 MiB */
    memory_detect(&boot);    /* E820 map */
    disk_init(drive);        /* EDD */
    blobs_load(m, &boot);    /* kernel, symbols, registry, checksums */
    kernel_check(m, &boot);  /* the kernel of this very build */
    cpu_check((const struct kernel_header *)boot.kernel.addr); /* no instruction that is missing */
    enter_kernel(m->kernel_entry, &boot);
}
