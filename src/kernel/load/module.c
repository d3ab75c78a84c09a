/* module.c - the loaded modules: taking one in, finding its entry points and names. */
#include "load/module.h"
#include "lib/string.h"
#include "load/module_list.h"
#include "mm/heap.h"
#include "mm/pages.h"

static struct loaded_module *modules; /* newest first */
static struct loaded_module *loading; /* whose initialisers run: not among them yet */

static void discard(struct loaded_module *m) {
    if (!m)
        return;
    module_unplace(m);
    kfree(m->section);
    kfree(m->exports);
    kfree(m->symbols);
    kfree(m->strings);
    kfree(m);
}

/* A copy of n records, NULL when out of memory; never of size 0. */
static void *copy(const uint8_t *from, uint32_t n, size_t record) {
    void *to = kmalloc(n * record + 1);
    if (to)
        memcpy(to, from, n * record);
    return to;
}

/* Names must be unique: a module by its name, an entry point among all modules. */
static int check_unique(const struct module_file *f, struct fluid_error *err) {
    for (const struct loaded_module *m = modules; m; m = m->next) {
        if (strcmp(m->name, f->header.name) == 0)
            return fluid_fail(err, "E-MOD-15",
                              "a module '%s' is already loaded; remove one of the two", m->name);
        for (uint32_t i = 0; i < f->header.export_count; i++) {
            const char *name = module_file_string(f, module_file_export(f, i).name);
            if (module_export(m, name))
                return fluid_fail(err, "E-MOD-14",
                                  "entry point '%.64s' exists in module '%s' already; rename one",
                                  name, m->name);
        }
    }
    return 0;
}

/* Everything that outlives the file. */
static struct loaded_module *create(const struct module_file *f) {
    const struct mod_header *h = &f->header;
    struct loaded_module *m = kzalloc(sizeof *m);
    if (!m)
        return NULL;
    memcpy(m->name, h->name, sizeof m->name);
    memcpy(m->target, h->target, sizeof m->target);
    m->rank = h->rank;
    m->section_count = h->section_count;
    m->export_count = h->export_count;
    m->symbol_count = h->symbol_count;
    m->section = kzalloc(h->section_count * sizeof *m->section + 1);
    m->exports = copy(f->bytes + h->export_off, h->export_count, sizeof *m->exports);
    m->symbols = copy(f->bytes + h->symbol_off, h->symbol_count, sizeof *m->symbols);
    m->strings = copy(f->bytes + h->string_off, h->string_size, 1);
    if (m->section && m->exports && m->symbols && m->strings)
        return m;
    discard(m);
    return NULL;
}

struct loaded_module *module_load(const void *file, size_t size, uint32_t usable,
                                  struct fluid_error *err) {
    struct module_file f;
    if (module_file_open(&f, file, size, usable, err) != 0 || check_unique(&f, err) != 0)
        return NULL;
    struct loaded_module *m = create(&f);
    if (!m) {
        fluid_fail(err, "E-MOD-10",
                   "memory for the tables of a module of %zu bytes needed, "
                   "not available",
                   size);
        return NULL;
    }
    if (module_place(m, &f, err) != 0 || module_relocate(m, &f, err) != 0) {
        discard(m);
        return NULL;
    }
    module_protect(m);
    loading = m;
    int initialised = module_initialise(m, &f, err);
    loading = NULL;
    if (initialised != 0) {
        discard(m);
        return NULL;
    }
    m->next = modules;
    modules = m;
    return m;
}

void *module_export(const struct loaded_module *m, const char *name) {
    for (uint32_t i = 0; i < m->export_count; i++)
        if (strcmp(m->strings + m->exports[i].name, name) == 0)
            return m->section[m->exports[i].section] + m->exports[i].offset;
    return NULL;
}

void *module_find_export(const char *name) {
    for (const struct loaded_module *m = modules; m; m = m->next) {
        void *entry = module_export(m, name);
        if (entry)
            return entry;
    }
    return NULL;
}

const char *module_name(const struct loaded_module *m) {
    return m->name;
}

const char *module_target(const struct loaded_module *m) {
    return m->target;
}

uint32_t module_rank(const struct loaded_module *m) {
    return m->rank;
}

size_t module_memory(const struct loaded_module *m) {
    return m->pages * PAGE_SIZE;
}

void module_for_each(void (*visit)(const struct loaded_module *m, void *context), void *context) {
    for (const struct loaded_module *m = modules; m; m = m->next)
        visit(m, context);
}

/* The last function that begins at or before address and reaches over it. */
static const struct mod_symbol *symbol_at(const struct loaded_module *m, uintptr_t address) {
    const struct mod_symbol *best = NULL;
    uintptr_t best_start = 0;
    for (uint32_t i = 0; i < m->symbol_count; i++) {
        const struct mod_symbol *s = &m->symbols[i];
        uintptr_t start = (uintptr_t)m->section[s->section] + s->offset;
        /* <= : the return address of a call that never returns is the end of its function. */
        if (start <= address && address - start <= s->size && (!best || start >= best_start)) {
            best = s;
            best_start = start;
        }
    }
    return best;
}

static const struct loaded_module *module_at(uintptr_t address) {
    const struct loaded_module *first = loading != NULL ? loading : modules;
    for (const struct loaded_module *m = first; m; m = m == loading ? modules : m->next)
        if (address - (uintptr_t)m->base < m->pages * PAGE_SIZE)
            return m;
    return NULL;
}

bool module_contains(uintptr_t address) {
    return module_at(address) != NULL;
}

bool module_symbolise(uintptr_t address, const char **module, const char **symbol,
                      uintptr_t *offset) {
    const struct loaded_module *m = module_at(address);
    const struct mod_symbol *s = m != NULL ? symbol_at(m, address) : NULL;
    if (!s)
        return false;
    *module = m->name;
    *symbol = m->strings + s->name;
    *offset = address - (uintptr_t)m->section[s->section] - s->offset;
    return true;
}
