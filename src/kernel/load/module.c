/* module.c - taking a module in, in another's place if need be, and letting it go. */
#include "load/module.h"
#include "arch/x86/watchdog.h"
#include "console/event.h"
#include "lib/string.h"
#include "load/module_list.h"
#include "mm/heap.h"
#include "mm/pool.h"
#include "prof/counters.h"
#include "prof/sample.h"

/* What nobody can give back any more stays lost, and on its account. */
static void close_account(const struct loaded_module *m) {
    struct heap_account left = heap_close_account(m->account);
    struct fluid_error leak;
    if (left.blocks == 0)
        return;
    fluid_fail(&leak, "E-MEM-06",
               "module %s expected to give back all memory, found %zu bytes in %zu blocks left; "
               "mend the module",
               m->name, left.live, left.blocks);
    report_warn(&leak);
}

static void discard(struct loaded_module *m) {
    if (!m)
        return;
    close_account(m);
    module_unplace(m);
    pool_free(POOL_METADATA, m->section);
    pool_free(POOL_METADATA, m->layout);
    pool_free(POOL_METADATA, m->exports);
    pool_free(POOL_METADATA, m->symbols);
    pool_free(POOL_METADATA, m->strings);
    kfree(m);
}

static void *table(uint32_t n, size_t record) {
    return pool_alloc(POOL_METADATA, n * record, 1);
}

/* A copy of n records, NULL when out of memory. */
static void *copy(const uint8_t *from, uint32_t n, size_t record) {
    void *to = table(n, record);
    if (to)
        memcpy(to, from, n * record);
    return to;
}

/* Names must be unique: a module by its name, an entry point among all modules; but for `old`,
 * which is to be replaced. */
static int check_unique(const struct module_file *f, const struct loaded_module *old,
                        struct fluid_error *err) {
    for (const struct loaded_module *m = module_list(); m; m = m->next) {
        if (m == old || m->aside)
            continue;
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
    memcpy(m->source, h->source, sizeof m->source);
    m->account = heap_open_account();
    m->rank = h->rank;
    m->section_count = h->section_count;
    m->export_count = h->export_count;
    m->symbol_count = h->symbol_count;
    m->section = table(h->section_count, sizeof *m->section);
    m->layout = table(h->section_count, sizeof *m->layout);
    m->exports = copy(f->bytes + h->export_off, h->export_count, sizeof *m->exports);
    m->symbols = copy(f->bytes + h->symbol_off, h->symbol_count, sizeof *m->symbols);
    m->strings = copy(f->bytes + h->string_off, h->string_size, 1);
    if (!m->section || !m->layout || !m->exports || !m->symbols || !m->strings) {
        discard(m);
        return NULL;
    }
    for (uint32_t i = 0; i < h->section_count; i++)
        m->layout[i] = module_file_section(f, i);
    return m;
}

/* Placed, relocated, protected and initialised, but in no list; NULL when that fails. */
static struct loaded_module *bring_up(const struct module_file *f, struct fluid_error *err) {
    struct loaded_module *m = create(f);
    if (!m) {
        fluid_fail(err, "E-MOD-10",
                   "memory for the tables of a module of %u bytes needed, not available",
                   f->header.file_size);
        return NULL;
    }
    if (module_place(m, f, err) != 0 || module_relocate(m, f, err) != 0) {
        discard(m);
        return NULL;
    }
    module_protect(m);
    module_list_pass(m);
    int initialised = module_initialise(m, err);
    module_list_pass(NULL);
    if (initialised != 0) {
        discard(m);
        return NULL;
    }
    return m;
}

/* Of one that is in no list any more. */
static void take_down(struct loaded_module *m) {
    module_list_pass(m);
    module_finalise(m);
    counters_forget((uintptr_t)m->region[MODULE_DATA].base, m->region[MODULE_DATA].size);
    sample_forget((uintptr_t)m->region[MODULE_CODE].base, m->region[MODULE_CODE].size);
    module_list_pass(NULL);
    discard(m);
}

struct loaded_module *module_load(const void *file, size_t size, uint32_t usable,
                                  struct fluid_error *err) {
    struct module_file f;
    if (module_file_open(&f, file, size, usable, err) != 0 || check_unique(&f, NULL, err) != 0)
        return NULL;
    struct loaded_module *m = bring_up(&f, err);
    if (m)
        module_list_add(m);
    return m;
}

struct loaded_module *module_load_aside(const void *file, size_t size, uint32_t usable,
                                        struct fluid_error *err) {
    struct module_file f;
    if (module_file_open(&f, file, size, usable, err) != 0)
        return NULL;
    struct loaded_module *m = bring_up(&f, err);
    if (!m)
        return NULL;
    m->aside = true;
    module_list_add(m);
    watchdog_start();
    return m;
}

bool module_is_aside(const struct loaded_module *m) {
    return m->aside;
}

/* Can `old` go, with `new`, NULL for none, in its place? -1 with E-MOD-17. */
static int check_free(const struct loaded_module *old, const struct loaded_module *new,
                      struct fluid_error *err) {
    if (old->users > 0)
        return fluid_fail(err, "E-MOD-17",
                          "module %s expected to be unused, found in use (an open model, or a task "
                          "in it); /reboot takes it from MODULES at the start",
                          old->name);
    const char *missing = slot_without(old, new);
    if (!missing)
        return 0;
    return fluid_fail(err, "E-MOD-17",
                      "entry point %s of module %s is in use and would be missing; take a module "
                      "that has it",
                      missing, old->name);
}

struct loaded_module *module_override(const void *file, size_t size, uint32_t usable,
                                      struct fluid_error *err) {
    struct module_file f;
    if (module_file_open(&f, file, size, usable, err) != 0)
        return NULL;
    struct loaded_module *old = module_find(f.header.name);
    if (check_unique(&f, old, err) != 0)
        return NULL;
    struct loaded_module *m = bring_up(&f, err);
    if (!m || !old) {
        if (m)
            module_list_add(m);
        return m;
    }
    if (check_free(old, m, err) != 0) {
        take_down(m);
        return NULL;
    }
    slot_move(old, m);
    module_list_remove(old);
    module_list_add(m);
    take_down(old);
    return m;
}

int module_unload(struct loaded_module *m, struct fluid_error *err) {
    if (check_free(m, NULL, err) != 0)
        return -1;
    if (m->aside)
        watchdog_stop();
    module_list_remove(m);
    take_down(m);
    return 0;
}
