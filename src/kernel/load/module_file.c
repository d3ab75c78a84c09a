/* module_file.c - checking a .mod file before anything of it is used (layout: fluid/module.h).
 *
 * Order: identity, hash, then every bound of every record, then whether this machine can run it.
 * Sums are taken with overflow checks, so no field can be large enough to wrap around a bound. */
#include "load/module_file.h"
#include "arch/x86/cpu.h"
#include "lib/string.h"
#include "load/sha256.h"

#ifdef __x86_64__
#define MACHINE MOD_MACHINE_X86_64
#else
#define MACHINE MOD_MACHINE_I386
#endif

_Static_assert(sizeof(struct mod_import) == 4 && sizeof(struct mod_symbol) == 16, "packed tables");

static int out_of_bounds(struct fluid_error *err, const char *table, uint32_t index,
                         const char *field, uint32_t found) {
    return fluid_fail(err, "E-MOD-03",
                      "%s %u: field %s is out of bounds, found 0x%x (file damaged? rebuild it)",
                      table, index, field, found);
}

/* offset + size <= limit, without wrapping */
static bool within(uint32_t offset, uint32_t size, uint32_t limit) {
    uint32_t end;
    return !__builtin_add_overflow(offset, size, &end) && end <= limit;
}

/* Names are shown to people: no control bytes for their terminals. */
static bool is_printable(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

bool module_file_is_text(const char *field, size_t size) {
    size_t length = strnlen(field, size);
    return length > 0 && length < size && is_printable(field, length);
}

struct mod_section module_file_section(const struct module_file *f, uint32_t index) {
    struct mod_section s;
    memcpy(&s, f->bytes + f->header.section_off + index * sizeof s, sizeof s);
    return s;
}

struct mod_reloc module_file_reloc(const struct module_file *f, uint32_t index) {
    struct mod_reloc r;
    memcpy(&r, f->bytes + f->header.reloc_off + index * sizeof r, sizeof r);
    return r;
}

struct mod_export module_file_export(const struct module_file *f, uint32_t index) {
    struct mod_export e;
    memcpy(&e, f->bytes + f->header.export_off + index * sizeof e, sizeof e);
    return e;
}

struct mod_symbol module_file_symbol(const struct module_file *f, uint32_t index) {
    struct mod_symbol s;
    memcpy(&s, f->bytes + f->header.symbol_off + index * sizeof s, sizeof s);
    return s;
}

const char *module_file_string(const struct module_file *f, uint32_t offset) {
    return (const char *)f->bytes + f->header.string_off + offset;
}

static uint32_t import_name(const struct module_file *f, uint32_t index) {
    struct mod_import i;
    memcpy(&i, f->bytes + f->header.import_off + index * sizeof i, sizeof i);
    return i.name;
}

const char *module_file_import(const struct module_file *f, uint32_t index) {
    return module_file_string(f, import_name(f, index));
}

uint32_t module_reloc_size(uint16_t type) {
    switch (type) {
    case MOD_RELOC_ABS64:
    case MOD_RELOC_PC64:
        return 8;
    case MOD_RELOC_ABS32:
    case MOD_RELOC_ABS32S:
    case MOD_RELOC_PC32:
        return 4;
    default:
        return 0;
    }
}

static int check_hash(const struct module_file *f, struct fluid_error *err) {
    static const uint8_t zero[SHA256_SIZE];
    const size_t at = offsetof(struct mod_header, sha256);
    struct sha256 state;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&state);
    sha256_update(&state, f->bytes, at);
    sha256_update(&state, zero, sizeof zero);
    sha256_update(&state, f->bytes + at + sizeof zero, f->header.file_size - at - sizeof zero);
    sha256_final(&state, digest);
    if (memcmp(digest, f->header.sha256, sizeof digest) == 0)
        return 0;
    return fluid_fail(err, "E-MOD-04",
                      "SHA-256 %02x%02x%02x%02x... expected, content has %02x%02x%02x%02x... "
                      "(file damaged? rebuild or copy it again)",
                      f->header.sha256[0], f->header.sha256[1], f->header.sha256[2],
                      f->header.sha256[3], digest[0], digest[1], digest[2], digest[3]);
}

static int check_tables(const struct module_file *f, struct fluid_error *err) {
    const struct mod_header *h = &f->header;
    const struct {
        const char *field;
        uint32_t count, offset, record;
    } tables[] = {
        {"section_count", h->section_count, h->section_off, sizeof(struct mod_section)},
        {"reloc_count", h->reloc_count, h->reloc_off, sizeof(struct mod_reloc)},
        {"export_count", h->export_count, h->export_off, sizeof(struct mod_export)},
        {"import_count", h->import_count, h->import_off, sizeof(struct mod_import)},
        {"symbol_count", h->symbol_count, h->symbol_off, sizeof(struct mod_symbol)},
        {"string_size", h->string_size, h->string_off, 1},
        {"bitcode_size", h->bitcode_size, h->bitcode_off, 1},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        uint32_t size;
        if (__builtin_mul_overflow(tables[i].count, tables[i].record, &size) ||
            !within(tables[i].offset, size, h->file_size))
            return out_of_bounds(err, "header", 0, tables[i].field, tables[i].count);
    }
    if (h->section_count > MOD_SECTIONS_MAX)
        return out_of_bounds(err, "header", 0, "section_count", h->section_count);
    /* One NUL at the very end terminates whatever string an offset below string_size begins. */
    if (h->string_size == 0 || f->bytes[h->string_off + h->string_size - 1] != 0)
        return out_of_bounds(err, "header", 0, "string_size", h->string_size);
    for (uint32_t at = 0; at < h->string_size; at++)
        if (f->bytes[h->string_off + at] != 0 &&
            !is_printable((const char *)f->bytes + h->string_off + at, 1))
            return out_of_bounds(err, "string", at, "character", f->bytes[h->string_off + at]);
    if (!module_file_is_text(h->name, MOD_NAME_SIZE))
        return out_of_bounds(err, "header", 0, "name", (uint8_t)h->name[0]);
    if (!module_file_is_text(h->target, MOD_TARGET_SIZE))
        return out_of_bounds(err, "header", 0, "target", (uint8_t)h->target[0]);
    return 0;
}

static int check_sections(const struct module_file *f, struct fluid_error *err) {
    uint64_t memory = 0;
    for (uint32_t i = 0; i < f->header.section_count; i++) {
        struct mod_section s = module_file_section(f, i);
        const uint32_t run = MOD_SECTION_INIT | MOD_SECTION_FINI;
        const uint32_t known = MOD_SECTION_WRITE | MOD_SECTION_EXEC | MOD_SECTION_NOBITS | run;
        const uint32_t both = MOD_SECTION_WRITE | MOD_SECTION_EXEC;
        if (s.name >= f->header.string_size)
            return out_of_bounds(err, "section", i, "name", s.name);
        if (s.flags & ~known || (s.flags & both) == both)
            return out_of_bounds(err, "section", i, "flags", s.flags);
        if (s.align == 0 || s.align > MOD_ALIGN_MAX || (s.align & (s.align - 1)))
            return out_of_bounds(err, "section", i, "align", s.align);
        if (!within(s.file_off, s.file_size, f->header.file_size))
            return out_of_bounds(err, "section", i, "file_off", s.file_off);
        if (s.file_size > s.mem_size || ((s.flags & MOD_SECTION_NOBITS) && s.file_size))
            return out_of_bounds(err, "section", i, "file_size", s.file_size);
        memory += (uint64_t)s.mem_size + s.align;
        if (memory > MOD_MEMORY_MAX)
            return out_of_bounds(err, "section", i, "mem_size", s.mem_size);
        if ((s.flags & run) && (s.mem_size % sizeof(void *) || s.align < sizeof(void *)))
            return out_of_bounds(err, "section", i, "mem_size of initialisers", s.mem_size);
    }
    return 0;
}

static int check_relocs(const struct module_file *f, struct fluid_error *err) {
    for (uint32_t i = 0; i < f->header.reloc_count; i++) {
        struct mod_reloc r = module_file_reloc(f, i);
        uint32_t size = module_reloc_size(r.type);
        uint32_t targets = 0;
        if (r.target_kind == MOD_TARGET_SECTION)
            targets = f->header.section_count;
        else if (r.target_kind == MOD_TARGET_IMPORT)
            targets = f->header.import_count;
        if (size == 0)
            return out_of_bounds(err, "relocation", i, "type", r.type);
        if (r.section >= f->header.section_count)
            return out_of_bounds(err, "relocation", i, "section", r.section);
        if (!within(r.offset, size, module_file_section(f, r.section).file_size))
            return out_of_bounds(err, "relocation", i, "offset", r.offset);
        if (r.target >= targets)
            return out_of_bounds(err, "relocation", i, "target", r.target);
    }
    return 0;
}

/* Exports and symbols have the same four fields. */
static int check_place(const struct module_file *f, const char *table, uint32_t i, uint32_t name,
                       uint32_t section, uint32_t offset, uint32_t size, struct fluid_error *err) {
    if (name >= f->header.string_size)
        return out_of_bounds(err, table, i, "name", name);
    if (section >= f->header.section_count)
        return out_of_bounds(err, table, i, "section", section);
    if (!within(offset, size, module_file_section(f, section).mem_size))
        return out_of_bounds(err, table, i, "offset", offset);
    return 0;
}

static int check_names(const struct module_file *f, struct fluid_error *err) {
    for (uint32_t i = 0; i < f->header.export_count; i++) {
        struct mod_export e = module_file_export(f, i);
        if (check_place(f, "export", i, e.name, e.section, e.offset, e.size, err) != 0)
            return -1;
    }
    for (uint32_t i = 0; i < f->header.symbol_count; i++) {
        struct mod_symbol s = module_file_symbol(f, i);
        if (check_place(f, "symbol", i, s.name, s.section, s.offset, s.size, err) != 0)
            return -1;
    }
    for (uint32_t i = 0; i < f->header.import_count; i++)
        if (import_name(f, i) >= f->header.string_size)
            return out_of_bounds(err, "import", i, "name", import_name(f, i));
    return 0;
}

static int check_machine(const struct mod_header *h, uint32_t usable, struct fluid_error *err) {
    if (h->kernel_abi != FLUID_KERNEL_ABI)
        return fluid_fail(err, "E-MOD-05", "kernel ABI %u expected, %u found; rebuild the module",
                          FLUID_KERNEL_ABI, h->kernel_abi);
    if (h->machine != MACHINE)
        return fluid_fail(err, "E-MOD-06",
                          "machine %u expected, %u found (3: i386, 62: x86-64); "
                          "take the module of this target",
                          MACHINE, h->machine);
    uint64_t missing = h->cpu_bits & ~(uint64_t)usable;
    if (missing == 0)
        return 0;
    char names[128] = "unnamed ones";
    cpu_feature_names((uint32_t)missing, names, sizeof names);
    return fluid_fail(err, "E-MOD-07", "made for CPU features that this machine lacks: %s (0x%llx)",
                      names, (unsigned long long)missing);
}

int module_file_open(struct module_file *f, const void *file, size_t size, uint32_t usable,
                     struct fluid_error *err) {
    f->bytes = file;
    if (size < sizeof f->header)
        return fluid_fail(err, "E-MOD-01", "at least %zu bytes expected, %zu found (file cut off?)",
                          sizeof f->header, size);
    memcpy(&f->header, file, sizeof f->header);
    if (f->header.magic != MOD_MAGIC)
        return fluid_fail(err, "E-MOD-01", "magic 0x%x expected, 0x%x found (not a .mod file?)",
                          MOD_MAGIC, f->header.magic);
    if (f->header.version_major != MOD_VERSION_MAJOR)
        return fluid_fail(err, "E-MOD-02", "format version %u expected, %u found; rebuild it",
                          MOD_VERSION_MAJOR, f->header.version_major);
    if (f->header.file_size != size)
        return out_of_bounds(err, "header", 0, "file_size", f->header.file_size);
    if (f->header.header_size < sizeof f->header || f->header.header_size > size)
        return out_of_bounds(err, "header", 0, "header_size", f->header.header_size);
    if (check_hash(f, err) != 0 || check_tables(f, err) != 0 || check_sections(f, err) != 0 ||
        check_relocs(f, err) != 0 || check_names(f, err) != 0)
        return -1;
    return check_machine(&f->header, usable, err);
}
