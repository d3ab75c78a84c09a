/* module_run.c - what a module wants to be called when it comes and when it goes: constructors and
 * destructors of C++, functions with the attributes of these names in C. */
#include "console/event.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/module_list.h"

static uint32_t entries(const struct mod_section *s, uint32_t flag) {
    return s->flags & flag ? s->mem_size / (uint32_t)sizeof(uintptr_t) : 0;
}

static uintptr_t entry_at(const struct loaded_module *m, uint32_t section, uint32_t index) {
    uintptr_t entry;
    memcpy(&entry, m->section[section] + index * sizeof entry, sizeof entry);
    return entry;
}

/* -1 with E-MOD-16 when it faults. */
static int call(uintptr_t entry, struct fluid_error *err) {
    struct module_guard guard;
    if (MODULE_GUARD(&guard))
        return module_guard_report(&guard, err);
    ((void (*)(void))entry)();
    module_guard_end(&guard);
    return 0;
}

/* Initialisers and finalisers are data, which the module has not changed yet. */
static int check(const struct loaded_module *m, struct fluid_error *err) {
    uintptr_t code = (uintptr_t)m->region[MODULE_CODE].base;
    uintptr_t code_end = code + m->region[MODULE_CODE].size;
    for (uint32_t i = 0; i < m->section_count; i++) {
        uint32_t count = entries(&m->layout[i], MOD_SECTION_INIT | MOD_SECTION_FINI);
        for (uint32_t n = 0; n < count; n++) {
            uintptr_t entry = entry_at(m, i, n);
            if (entry < code || entry >= code_end)
                return fluid_fail(err, "E-MOD-08",
                                  "initialiser %u of section %u: address in the module's code "
                                  "expected, 0x%llx found (rebuild it)",
                                  n, i, (unsigned long long)entry);
        }
    }
    return 0;
}

int module_initialise(struct loaded_module *m, struct fluid_error *err) {
    if (check(m, err) != 0)
        return -1;
    for (uint32_t i = 0; i < m->section_count; i++)
        for (uint32_t n = 0; n < entries(&m->layout[i], MOD_SECTION_INIT); n++)
            if (call(entry_at(m, i, n), err) != 0)
                return -1;
    return 0;
}

void module_finalise(struct loaded_module *m) {
    struct fluid_error err;
    for (uint32_t i = m->section_count; i-- > 0;)
        for (uint32_t n = entries(&m->layout[i], MOD_SECTION_FINI); n-- > 0;)
            if (call(entry_at(m, i, n), &err) != 0) {
                report_warn(&err);
                return;
            }
}
