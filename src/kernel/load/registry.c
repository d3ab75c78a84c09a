/* registry.c - the modules that came with the image: the best variant of each that works here.
 *
 * The index has its own hash; each module has another. So a damaged module costs one variant and is
 * reported, and the next best takes its place. */
#include "load/registry.h"
#include "arch/x86/cpu.h"
#include "console/event.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "load/module_file.h"
#include "load/sha256.h"

static struct registry_entry entry_at(const uint8_t *registry, uint32_t index) {
    struct registry_entry e;
    memcpy(&e, registry + sizeof(struct registry_header) + index * sizeof e, sizeof e);
    return e;
}

static bool same_name(const struct registry_entry *a, const struct registry_entry *b) {
    return memcmp(a->name, b->name, sizeof a->name) == 0;
}

static int damaged(struct fluid_error *err, const char *field, uint32_t found) {
    return fluid_fail(err, "E-MOD-12",
                      "registry index: field %s is wrong, found 0x%x (image damaged? rewrite it)",
                      field, found);
}

static int check_entry(const struct registry_header *h, const struct registry_entry *e,
                       struct fluid_error *err) {
    uint32_t end;
    if (__builtin_add_overflow(e->offset, e->size, &end) || end > h->total_size)
        return damaged(err, "offset", e->offset);
    if (!module_file_is_text(e->name, sizeof e->name))
        return damaged(err, "name", (uint8_t)e->name[0]);
    if (!module_file_is_text(e->target, sizeof e->target))
        return damaged(err, "target", (uint8_t)e->target[0]);
    return 0;
}

static int check_index(const uint8_t *registry, size_t size, struct registry_header *h,
                       struct fluid_error *err) {
    uint32_t index_size;
    uint8_t digest[SHA256_SIZE];
    struct sha256 state;
    if (size < sizeof *h)
        return damaged(err, "size", (uint32_t)size);
    memcpy(h, registry, sizeof *h);
    if (h->magic != REGISTRY_MAGIC)
        return damaged(err, "magic", h->magic);
    if (h->version != REGISTRY_VERSION)
        return damaged(err, "version", h->version);
    if (h->total_size != size)
        return damaged(err, "total_size", h->total_size);
    if (__builtin_mul_overflow(h->count, sizeof(struct registry_entry), &index_size) ||
        index_size > size - sizeof *h)
        return damaged(err, "count", h->count);
    sha256_init(&state);
    sha256_update(&state, registry + sizeof *h, index_size);
    sha256_final(&state, digest);
    if (memcmp(digest, h->sha256, sizeof digest) != 0)
        return damaged(err, "sha256", h->sha256[0]);
    for (uint32_t i = 0; i < h->count; i++) {
        struct registry_entry e = entry_at(registry, i);
        if (check_entry(h, &e, err) != 0)
            return -1;
    }
    return 0;
}

/* Loads one variant; reports why when it does not work. */
static bool try_variant(const uint8_t *registry, const struct registry_entry *e) {
    struct fluid_error err = {0}, told;
    if (module_load(registry + e->offset, e->size, cpu_info()->features, &err))
        return true;
    told = err;
    ksnprintf(told.text, sizeof told.text, "%s (%s): %s", e->name, e->target, err.text);
    report_warn(&told);
    return false;
}

static bool fits(const struct registry_entry *e) {
    return (e->cpu_bits & ~(uint64_t)cpu_info()->features) == 0;
}

static void report_no_variant(const char *name, uint32_t tried) {
    struct fluid_error e;
    fluid_fail(&e, "E-MOD-11",
               "module %s: a usable variant expected, none of %u in the image works; see the "
               "warnings before, rebuild the image for this machine",
               name, tried);
    report_error(&e);
}

static void report_unfit(unsigned modules) {
    struct fluid_error e;
    if (modules == 0)
        return;
    fluid_fail(&e, "E-MOD-11",
               "a variant of each module for this CPU expected, none found of %u; use a newer "
               "processor, or an image for this one",
               modules);
    report_error(&e);
}

unsigned registry_load_all(const void *registry, size_t size) {
    struct registry_header header;
    struct fluid_error err = {0};
    unsigned loaded = 0, unfit = 0;
    if (check_index(registry, size, &header, &err) != 0) {
        report_error(&err);
        return 0;
    }
    for (uint32_t i = 0, next; i < header.count; i = next) {
        struct registry_entry first = entry_at(registry, i);
        bool done = false, any_fits = false;
        for (next = i; next < header.count; next++) {
            struct registry_entry e = entry_at(registry, next);
            if (!same_name(&first, &e))
                break;
            any_fits |= fits(&e);
            if (!done && fits(&e))
                done = try_variant(registry, &e);
        }
        loaded += done;
        unfit += !any_fits;
        if (any_fits && !done)
            report_no_variant(first.name, next - i);
    }
    report_unfit(unfit);
    return loaded;
}
