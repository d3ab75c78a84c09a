/* relocate.c - writing final addresses into a placed module. The formulas of fluid/module.h are
 * those of the System V psABI for i386 and x86-64, "Relocation". module_file_open checked the
 * bounds. */
#include "lib/string.h"
#include "load/kapi.h"
#include "load/module_list.h"

#ifdef __x86_64__
#define WRAPS false /* 32-bit fields must hold the whole value */
#else
#define WRAPS true /* addresses are 32 bits and arithmetic on them is modulo 2^32 */
#endif

static bool fits(uint16_t type, int64_t value) {
    switch (type) {
    case MOD_RELOC_ABS32:
        return WRAPS || (value >= 0 && value <= UINT32_MAX);
    case MOD_RELOC_ABS32S:
        return value >= INT32_MIN && value <= INT32_MAX;
    case MOD_RELOC_PC32:
        return WRAPS || (value >= INT32_MIN && value <= INT32_MAX);
    default:
        return true;
    }
}

/* S + A, or S + A - P; false when 64 bits overflow. */
static bool compute(const struct mod_reloc *r, uintptr_t target, uintptr_t place, int64_t *value) {
    if (__builtin_add_overflow((int64_t)target, r->addend, value))
        return false;
    if (r->type != MOD_RELOC_PC32 && r->type != MOD_RELOC_PC64)
        return true;
    return !__builtin_sub_overflow(*value, (int64_t)place, value);
}

static uintptr_t resolve(const struct loaded_module *m, const struct module_file *f,
                         const struct mod_reloc *r) {
    if (r->target_kind == MOD_TARGET_SECTION)
        return (uintptr_t)m->section[r->target];
    return (uintptr_t)kapi_resolve(module_file_import(f, r->target));
}

int module_relocate(struct loaded_module *m, const struct module_file *f, struct fluid_error *err) {
    for (uint32_t i = 0; i < f->header.import_count; i++) {
        const char *name = module_file_import(f, i);
        if (!kapi_resolve(name))
            return fluid_fail(err, "E-MOD-09",
                              "import '%.64s' is not part of the kernel API (fluid/kapi.h); "
                              "remove its use or rebuild the module",
                              name);
    }
    for (uint32_t i = 0; i < f->header.reloc_count; i++) {
        struct mod_reloc r = module_file_reloc(f, i);
        uint8_t *place = m->section[r.section] + r.offset;
        int64_t value;
        if (!compute(&r, resolve(m, f, &r), (uintptr_t)place, &value) || !fits(r.type, value))
            return fluid_fail(err, "E-MOD-08",
                              "relocation %u: its value does not fit %u bytes (addend 0x%llx); "
                              "rebuild with -mcmodel=small -fno-pic",
                              i, module_reloc_size(r.type), (unsigned long long)r.addend);
        memcpy(place, &value, module_reloc_size(r.type)); /* little-endian: the low bytes */
    }
    return 0;
}
