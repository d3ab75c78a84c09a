/* stage2_load.c - from the manifest to memory: where each blob goes, reading it, checking it. */
#include "stage2.h"

#define PROGRESS_DOTS 20

static uint32_t sectors_total, sectors_done, dots;

static void progress(uint32_t sectors) {
    sectors_done += sectors;
    for (; dots < sectors_done * PROGRESS_DOTS / sectors_total; dots++)
        print(".");
}

static const char *blob_name(uint32_t kind) {
    switch (kind) {
    case BOOT_BLOB_KERNEL:
        return "kernel";
    case BOOT_BLOB_KSYMS:
        return "symbol table";
    case BOOT_BLOB_REGISTRY:
        return "module registry";
    default:
        return "unknown part";
    }
}

static struct boot_loaded *blob_slot(struct bootinfo *boot, uint32_t kind) {
    switch (kind) {
    case BOOT_BLOB_KERNEL:
        return &boot->kernel;
    case BOOT_BLOB_KSYMS:
        return &boot->ksyms;
    default:
        return &boot->registry;
    }
}

static void blob_check(const struct boot_blob *b, uint32_t kinds_before) {
    bool kind = b->kind >= BOOT_BLOB_KERNEL && b->kind <= BOOT_BLOB_REGISTRY &&
                !(kinds_before & 1u << b->kind);
    bool place = b->load == 0 || b->load >= MEMORY_FIRST;
    bool sizes = b->size > 0 && b->size <= b->mem_size && b->mem_size <= MEMORY_LIMIT &&
                 b->sectors == (b->size + 511) / 512;
    if (!kind || !place || !sizes)
        fail(
            43,
            "%s: expected once, above 1 MiB, its bytes in whole sectors; found kind %u for %xh, %u "
            "bytes, %u sectors, %u bytes of memory; build the image again",
            blob_name(b->kind), b->kind, b->load, b->size, b->sectors, b->mem_size);
    if (b->kind == BOOT_BLOB_KERNEL && b->size > BOOT_KERNEL_MAX)
        fail(43, "kernel of at most %u bytes expected, found %u; build a smaller one",
             (uint32_t)BOOT_KERNEL_MAX, b->size);
}

void manifest_check(const struct boot_manifest *m) {
    uint32_t kinds = 0;
    if (m->blob_count > BOOT_MANIFEST_MAX_BLOBS)
        fail(43, "manifest: at most %u parts expected, found %u; build the image again",
             (uint32_t)BOOT_MANIFEST_MAX_BLOBS, m->blob_count);
    for (uint32_t i = 0; i < m->blob_count; i++) {
        const struct boot_blob *b = &m->blob[i];
        blob_check(b, kinds);
        kinds |= 1u << b->kind;
        sectors_total += b->sectors;
    }
    if (!(kinds & 1u << BOOT_BLOB_KERNEL))
        fail(43, "manifest: a kernel expected, found none; build the image again");
}

static bool overlaps(const struct boot_loaded *l, uint32_t base, uint32_t size) {
    return l->mem_size != 0 && base < l->addr + l->mem_size && l->addr < base + size;
}

/* The address for b: the manifest's, or the first free place behind the blob before, at *next. */
static uint32_t blob_place(const struct boot_blob *b, const struct bootinfo *boot, uint32_t next) {
    uint32_t at = b->load != 0 ? b->load : memory_find(boot, next, b->mem_size);
    if (!memory_usable(boot, at, b->mem_size))
        fail(44,
             "%s: %u KiB of free memory at %xh expected, found %u KiB in total; give the machine "
             "more memory",
             blob_name(b->kind), (b->mem_size + 1023) / 1024, b->load != 0 ? b->load : next,
             memory_total_kib(boot));
    if (overlaps(&boot->kernel, at, b->mem_size) || overlaps(&boot->ksyms, at, b->mem_size) ||
        overlaps(&boot->registry, at, b->mem_size))
        fail(43,
             "%s: memory of its own expected, found another part of the image at %xh; build the "
             "image again",
             blob_name(b->kind), at);
    return at;
}

static void blob_load(const struct boot_blob *b, const struct boot_loaded *l) {
    disk_read(b->lba, b->size, (void *)l->addr, progress);
    if (!(b->flags & BOOT_BLOB_CHECKED))
        return;
    uint32_t found = crc32((const void *)l->addr, b->size);
    if (found != b->crc32)
        fail(46,
             "%s: CRC-32 %xh expected, found %xh; disk or memory damaged: write the image again",
             blob_name(b->kind), b->crc32, found);
}

void blobs_load(const struct boot_manifest *m, struct bootinfo *boot) {
    uint32_t next = MEMORY_FIRST;
    for (uint32_t i = 0; i < m->blob_count; i++) {
        const struct boot_blob *b = &m->blob[i];
        struct boot_loaded *l = blob_slot(boot, b->kind);
        uint32_t at = blob_place(b, boot, next);
        *l = (struct boot_loaded){.addr = at, .size = b->size, .mem_size = b->mem_size};
        next = at + b->mem_size;
    }
    print("Fluid OS boot: loading %u KiB ", sectors_total / 2);
    for (uint32_t i = 0; i < m->blob_count; i++)
        blob_load(&m->blob[i], blob_slot(boot, m->blob[i].kind));
    print("\n");
}

/* The first digits, as people see them. */
static uint32_t id_head(const uint8_t *id) {
    return (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
}

void kernel_check(const struct boot_manifest *m, const struct bootinfo *boot) {
    const struct kernel_header *h = (const struct kernel_header *)boot->kernel.addr;
    uint32_t entry = m->kernel_entry - boot->kernel.addr;
    if (boot->kernel.size < sizeof(*h) || h->magic != KERNEL_HEADER_MAGIC ||
        h->header_size < sizeof(*h) || entry >= boot->kernel.size)
        fail(47,
             "a kernel header expected at %xh and the entry inside of the kernel, found %xh and "
             "entry %xh; build the image again",
             boot->kernel.addr, h->magic, m->kernel_entry);
    if (memcmp(h->build_id, m->build_id, BOOT_BUILD_ID_SIZE) != 0)
        fail(48,
             "kernel of build %x... expected, found %x...; kernel and boot area are of different "
             "images: write the image again",
             id_head(m->build_id), id_head(h->build_id));
}
