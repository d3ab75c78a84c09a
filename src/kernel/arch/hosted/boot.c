/* boot.c - what stage2 does on the bare machine: finds the registry through the boot manifest and
 * hands it over with a memory map. The kernel of the image is not run, but checked: registry and
 * manifest belong to it. Function names come from the file fluid-host.ksyms next to the program. */
#include "arch/hosted/hosted.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86/cpu.h"
#include "crc32.h"
#include "dev/block.h"
#include "mm/pages.h"

#define BOOT_DRIVE 0x80 /* the BIOS's first hard disk */
#define KINDS 4         /* of blobs, BOOT_BLOB_* plus the unused 0 */

static int damaged(struct fluid_error *err, const char *field, uint32_t found) {
    return fluid_fail(err, "E-HOST-03",
                      "the boot manifest of a Fluid OS image expected in sector "
                      "%u, found a wrong %s (0x%x); write the image again",
                      BOOT_MANIFEST_LBA, field, found);
}

static int check_blob(const struct boot_blob *b, struct fluid_error *err) {
    if (b->kind == 0 || b->kind >= KINDS)
        return damaged(err, "kind of blob", b->kind);
    if (b->size == 0 || b->sectors != (b->size - 1) / BLOCK_SECTOR + 1)
        return damaged(err, "size of a blob", b->size);
    if (b->kind == BOOT_BLOB_KERNEL &&
        (b->size > BOOT_KERNEL_MAX || b->size < sizeof(struct kernel_header)))
        return damaged(err, "size of the kernel", b->size);
    return 0;
}

static int read_manifest(struct boot_manifest *m, struct fluid_error *err) {
    if (!disk_read(BOOT_MANIFEST_LBA, m, sizeof *m))
        return damaged(err, "length of the disk", 0);
    struct boot_manifest zeroed = *m;
    zeroed.crc32 = 0;
    if (memcmp(m->magic, "FLUIDBM1", sizeof m->magic) != 0)
        return damaged(err, "magic", (uint8_t)m->magic[0]);
    if (m->version != BOOT_MANIFEST_VERSION)
        return damaged(err, "version", m->version);
    if (m->crc32 != crc32(&zeroed, sizeof zeroed))
        return damaged(err, "CRC-32", m->crc32);
    if (m->blob_count > BOOT_MANIFEST_MAX_BLOBS)
        return damaged(err, "number of blobs", m->blob_count);
    for (uint32_t i = 0; i < m->blob_count; i++)
        if (check_blob(&m->blob[i], err) != 0)
            return -1;
    return 0;
}

static const struct boot_blob *find(const struct boot_manifest *m, uint32_t kind) {
    for (uint32_t i = 0; i < m->blob_count; i++)
        if (m->blob[i].kind == kind)
            return &m->blob[i];
    return NULL;
}

/* Reserves size bytes of the arena at *used, whole pages; NULL when it has no room. */
static uint8_t *reserve(size_t *used, size_t size) {
    size_t pages = size / PAGE_SIZE + 1, left = arena_size() - *used;
    uint8_t *at = arena_start() + *used;
    if (pages > left / PAGE_SIZE)
        return NULL;
    *used += pages * PAGE_SIZE;
    return at;
}

static int no_memory(struct fluid_error *err, const char *what, uint32_t size) {
    return fluid_fail(err, "E-HOST-05",
                      "%u KiB of memory for the %s expected, found %u MiB in "
                      "total; give it more with --mem",
                      size / 1024 + 1, what, (unsigned)(arena_size() >> 20));
}

/* The modules in the registry may use what the kernel of the image was compiled for. */
static int check_processor(const struct kernel_header *header, struct fluid_error *err) {
    uint64_t missing = header->cpu_bits & ~(uint64_t)cpu_info()->features;
    char names[160];
    if (missing == 0)
        return 0;
    cpu_feature_names(missing, names, sizeof names);
    return fluid_fail(err, "E-CPU-05",
                      "processor: %s expected, not found; take an image of a lower target than "
                      "%.16s",
                      names, header->target);
}

static int check_kernel(const struct boot_manifest *m, size_t used, struct fluid_error *err) {
    const struct boot_blob *b = find(m, BOOT_BLOB_KERNEL);
    struct kernel_header header;
    if (!b)
        return damaged(err, "list of blobs without kernel", m->blob_count);
    uint8_t *kernel = reserve(&used, b->size);
    if (!kernel)
        return no_memory(err, "kernel of the image", b->size);
    if (!disk_read(b->lba, kernel, b->size) || crc32(kernel, b->size) != b->crc32)
        return fluid_fail(err, "E-HOST-04",
                          "a kernel with CRC-32 %xh expected, found another; the "
                          "image is damaged: write it again",
                          b->crc32);
    memcpy(&header, kernel, sizeof header);
    if (header.magic != KERNEL_HEADER_MAGIC ||
        memcmp(header.build_id, m->build_id, sizeof header.build_id) != 0)
        return fluid_fail(err, "E-HOST-04",
                          "the kernel of the manifest's build expected, found "
                          "another; kernel and boot area are of different images: write it again");
    return check_processor(&header, err);
}

/* Loads the registry, unjudged: its index and its modules have hashes of their own. */
static int load_registry(const struct boot_manifest *m, size_t *used, struct boot_loaded *loaded,
                         struct fluid_error *err) {
    const struct boot_blob *b = find(m, BOOT_BLOB_REGISTRY);
    if (!b)
        return 0;
    uint8_t *registry = reserve(used, b->size);
    if (!registry)
        return no_memory(err, "registry", b->size);
    if (!disk_read(b->lba, registry, b->size))
        return damaged(err, "place of the registry", b->lba);
    *loaded = (struct boot_loaded){(uint32_t)(uintptr_t)registry, b->size, b->size};
    return 0;
}

/* Without this file, or room for it, backtraces have no names. */
static void load_symbols(size_t *used, struct boot_loaded *loaded) {
    char path[PATH_MAX + 8];
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    if (n <= 0)
        return;
    snprintf(path + n, sizeof path - (size_t)n, ".ksyms");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = file >= 0 ? lseek(file, 0, SEEK_END) : -1;
    uint8_t *at = size > 0 && size < INT32_MAX ? reserve(used, (size_t)size) : NULL;
    if (at && pread(file, at, (size_t)size, 0) == size)
        *loaded = (struct boot_loaded){(uint32_t)(uintptr_t)at, (uint32_t)size, (uint32_t)size};
    if (file >= 0)
        close(file);
}

int boot_load(struct bootinfo *boot, struct fluid_error *err) {
    struct boot_manifest m;
    size_t used = 0;
    *boot = (struct bootinfo){
        .magic = BOOTINFO_MAGIC,
        .version = BOOTINFO_VERSION,
        .size = sizeof *boot,
        .boot_drive = BOOT_DRIVE,
        .e820_count = 1,
        .e820 = {{(uintptr_t)arena_start(), arena_size(), E820_USABLE, 0}},
    };
    if (read_manifest(&m, err) != 0 || load_registry(&m, &used, &boot->registry, err) != 0 ||
        check_kernel(&m, used, err) != 0)
        return -1;
    memcpy(boot->build_id, m.build_id, sizeof boot->build_id);
    load_symbols(&used, &boot->ksyms);
    return 0;
}
