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

static struct registry_entry entry_at(const uint8_t *file, uint32_t index) {
    struct registry_entry e;
    memcpy(&e, file + sizeof(struct registry_header) + index * sizeof e, sizeof e);
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

static int check_index(const uint8_t *file, size_t size, struct registry_header *h,
                       struct fluid_error *err) {
    uint32_t index_size;
    uint8_t digest[SHA256_SIZE];
    struct sha256 state;
    if (size < sizeof *h)
        return damaged(err, "size", (uint32_t)size);
    memcpy(h, file, sizeof *h);
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
    sha256_update(&state, file + sizeof *h, index_size);
    sha256_final(&state, digest);
    if (memcmp(digest, h->sha256, sizeof digest) != 0)
        return damaged(err, "sha256", h->sha256[0]);
    for (uint32_t i = 0; i < h->count; i++) {
        struct registry_entry e = entry_at(file, i);
        if (check_entry(h, &e, err) != 0)
            return -1;
    }
    return 0;
}

static const uint8_t *registry; /* of this image; NULL until its index was found to be sound */
static struct registry_header header;

typedef struct loaded_module *load_fn(const void *file, size_t size, uint32_t usable,
                                      struct fluid_error *err);

/* Loads one variant; reports why when it does not work. */
static struct loaded_module *try_variant(const struct registry_entry *e, load_fn *load) {
    struct fluid_error err = {0}, told;
    struct loaded_module *m = load(registry + e->offset, e->size, cpu_info()->features, &err);
    if (m)
        return m;
    told = err;
    ksnprintf(told.text, sizeof told.text, "%s (%s): %s", e->name, e->target, err.text);
    report_warn(&told);
    return NULL;
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

/* The entries of one name, from `first` on. */
struct variants {
    uint32_t next;       /* behind them */
    bool any_fits, done; /* this CPU; and one was loaded */
};

/* A variant may be nothing but bitcode, for a compiler on this machine. */
static bool has_code(const struct registry_entry *e) {
    struct mod_header h;
    if (e->size < sizeof h)
        return true; /* which its loader will find wrong */
    memcpy(&h, registry + e->offset, sizeof h);
    return h.section_count > 0;
}

/* The registry stays where it is, so its bitcode can, too. False: it has none, or is damaged. */
static bool find_bitcode(const struct registry_entry *e, bool loaded, struct module_file *f) {
    f->bytes = registry + e->offset;
    if (loaded) /* and found to be sound */
        memcpy(&f->header, f->bytes, sizeof f->header);
    else if (module_file_open(f, f->bytes, e->size, cpu_info()->features, NULL) != 0)
        return false;
    return f->header.bitcode_size > 0;
}

/* Of a module whose variants are all bitcode: it has no entry points before it is compiled. */
static bool load_asleep(const struct module_file *f, load_fn *load) {
    struct fluid_error err;
    struct loaded_module *m = load(f->bytes, f->header.file_size, cpu_info()->features, &err);
    if (m)
        module_set_bitcode(m, f->bytes + f->header.bitcode_off, f->header.bitcode_size,
                           f->header.cpu_bits);
    else
        report_warn(&err);
    return m != NULL;
}

static struct variants load_best(uint32_t first, load_fn *load) {
    struct registry_entry one = entry_at(registry, first);
    struct variants v = {.next = first};
    struct module_file best = {0}; /* the first with bitcode, up to the one that is loaded */
    for (; v.next < header.count; v.next++) {
        struct registry_entry e = entry_at(registry, v.next);
        if (!same_name(&one, &e))
            break;
        v.any_fits |= fits(&e);
        if (v.done || !fits(&e))
            continue;
        struct loaded_module *m = has_code(&e) ? try_variant(&e, load) : NULL;
        struct module_file f;
        if (!best.bytes && (m || !has_code(&e)) && find_bitcode(&e, m != NULL, &f))
            best = f;
        if (m && best.bytes)
            module_set_bitcode(m, best.bytes + best.header.bitcode_off, best.header.bitcode_size,
                               best.header.cpu_bits);
        v.done = m != NULL;
    }
    if (!v.done && best.bytes)
        v.done = load_asleep(&best, load);
    return v;
}

unsigned registry_load_all(const void *file, size_t size) {
    struct fluid_error err = {0};
    unsigned loaded = 0, unfit = 0;
    registry = NULL;
    if (check_index(file, size, &header, &err) != 0) {
        report_error(&err);
        return 0;
    }
    registry = file;
    for (uint32_t i = 0; i < header.count;) {
        struct variants v = load_best(i, module_load);
        loaded += v.done;
        unfit += !v.any_fits;
        if (v.any_fits && !v.done)
            report_no_variant(entry_at(registry, i).name, v.next - i);
        i = v.next;
    }
    report_unfit(unfit);
    return loaded;
}

bool registry_has(const char *name) {
    for (uint32_t i = 0; registry && i < header.count; i++)
        if (strcmp(entry_at(registry, i).name, name) == 0)
            return true;
    return false;
}

bool registry_restore(const char *name) {
    for (uint32_t i = 0; registry && i < header.count; i++)
        if (strcmp(entry_at(registry, i).name, name) == 0)
            return load_best(i, module_override).done;
    return false;
}
