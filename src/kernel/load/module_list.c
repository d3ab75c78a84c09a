/* module_list.c - the loaded modules, and finding their entry points and names. */
#include "load/module_list.h"

#include "lib/string.h"
#include "mm/heap.h"

static struct loaded_module *modules; /* newest first */
static struct loaded_module *passing; /* whose initialisers or finalisers run: not among them */

const struct loaded_module *module_list(void) {
    return modules;
}

void module_list_add(struct loaded_module *m) {
    m->next = modules;
    modules = m;
}

void module_list_remove(struct loaded_module *m) {
    struct loaded_module **at = &modules;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
}

void module_list_pass(struct loaded_module *m) {
    passing = m;
}

struct loaded_module *module_find(const char *name) {
    struct loaded_module *m = modules;
    while (m && (m->aside || strcmp(m->name, name) != 0))
        m = m->next;
    return m;
}

void module_hold(struct loaded_module *m) {
    if (m)
        m->users++;
}

void module_release(struct loaded_module *m) {
    if (m)
        m->users--;
}

void *module_export(const struct loaded_module *m, const char *name) {
    for (uint32_t i = 0; i < m->export_count; i++)
        if (strcmp(m->strings + m->exports[i].name, name) == 0)
            return m->section[m->exports[i].section] + m->exports[i].offset;
    return NULL;
}

bool module_is_held(const struct loaded_module *m) {
    return m->users > 0;
}

struct loaded_module *module_of_export(const char *name) {
    struct loaded_module *m = modules;
    while (m && (m->aside || !module_export(m, name)))
        m = m->next;
    return m;
}

static bool (*more)(const char *name); /* NULL: there are no more than are loaded */

void module_when_missing(bool (*when_missing)(const char *name)) {
    more = when_missing;
}

void *module_find_export(const char *name) {
    const struct loaded_module *m = module_of_export(name);
    while (!m && more && more(name))
        m = module_of_export(name);
    return m ? module_export(m, name) : NULL;
}

bool module_is_empty(const struct loaded_module *m) {
    return m->export_count == 0;
}

bool module_is_from_disk(const struct loaded_module *m) {
    return m->from_disk;
}

void module_set_from_disk(struct loaded_module *m) {
    m->from_disk = true;
}

const char *module_name(const struct loaded_module *m) {
    return m->name;
}

const char *module_target(const struct loaded_module *m) {
    return m->target;
}

const uint8_t *module_source(const struct loaded_module *m) {
    return m->source;
}

uint32_t module_rank(const struct loaded_module *m) {
    return m->rank;
}

const void *module_bitcode(const struct loaded_module *m, size_t *size) {
    *size = m->bitcode_size;
    return m->bitcode;
}

uint64_t module_bitcode_cpu(const struct loaded_module *m) {
    return m->bitcode_cpu;
}

void module_set_bitcode(struct loaded_module *m, const void *bitcode, size_t size, uint64_t cpu) {
    m->bitcode = bitcode;
    m->bitcode_size = size;
    m->bitcode_cpu = cpu;
}

size_t module_memory(const struct loaded_module *m) {
    size_t bytes = 0;
    for (unsigned group = 0; group < MODULE_GROUPS; group++)
        bytes += m->region[group].size;
    return bytes;
}

void module_for_each(void (*visit)(const struct loaded_module *m, void *context), void *context) {
    for (const struct loaded_module *m = modules; m; m = m->next)
        if (!m->aside)
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

const struct loaded_module *module_at(uintptr_t address) {
    const struct loaded_module *first = passing != NULL ? passing : modules;
    for (const struct loaded_module *m = first; m; m = m == passing ? modules : m->next)
        if (module_spans(m, address))
            return m;
    return NULL;
}

unsigned module_account(const struct loaded_module *m) {
    return m->account;
}

unsigned module_account_at(uintptr_t address) {
    const struct loaded_module *m = module_at(address);
    return m != NULL ? m->account : HEAP_KERNEL;
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
