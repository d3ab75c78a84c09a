/* module_place.c - a module's sections in memory: where they go and how they are protected. */
#include "lib/string.h"
#include "load/module_list.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "mm/pool.h"

static enum module_group group_of(uint32_t flags) {
    if (flags & MOD_SECTION_EXEC)
        return MODULE_CODE;
    return flags & MOD_SECTION_WRITE ? MODULE_DATA : MODULE_RODATA;
}

static size_t align_up(size_t value, size_t align) {
    return (value + align - 1) & ~(align - 1);
}

/* The size of a group's sections together; offset (section_count,) gets the place of each in it. No
 * sum can wrap: module_file_open limits the total to MOD_MEMORY_MAX. */
static size_t lay_out(const struct loaded_module *m, enum module_group group, size_t *offset) {
    size_t end = 0;
    for (uint32_t i = 0; i < m->section_count; i++) {
        const struct mod_section *s = &m->layout[i];
        if (group_of(s->flags) != group)
            continue;
        offset[i] = align_up(end, s->align);
        end = offset[i] + s->mem_size;
        end = end > 0 ? end : 1; /* an empty section has an address, too */
    }
    return align_up(end, PAGE_SIZE);
}

static const enum pool_kind pool_of[MODULE_GROUPS] = {POOL_CODE, POOL_DATA, POOL_DATA};

/* Memory for all groups; behind the data that the module writes a guard page. */
static bool allocate(struct loaded_module *m, size_t *offset, size_t *wanted) {
    *wanted = 0;
    for (unsigned group = 0; group < MODULE_GROUPS; group++) {
        size_t size = lay_out(m, group, offset);
        size += group == MODULE_DATA ? PAGE_SIZE : 0;
        *wanted += size;
        if (size == 0)
            continue;
        m->region[group].base = pool_alloc(pool_of[group], size, PAGE_SIZE);
        if (m->region[group].base == NULL)
            return false;
        m->region[group].size = size;
        memset(m->region[group].base, 0, size);
    }
    return true;
}

int module_place(struct loaded_module *m, const struct module_file *f, struct fluid_error *err) {
    size_t *offset = kzalloc(m->section_count * sizeof *offset + 1), wanted = 0;
    if (!offset || !allocate(m, offset, &wanted)) {
        kfree(offset);
        return fluid_fail(err, "E-MOD-10", "%zu KiB of memory below 2 GiB needed, not available",
                          wanted / 1024);
    }
    for (uint32_t i = 0; i < m->section_count; i++) {
        const struct mod_section *s = &m->layout[i];
        uint8_t *base = m->region[group_of(s->flags)].base;
        m->section[i] = base != NULL ? base + offset[i] : NULL;
        if (s->file_size > 0)
            memcpy(m->section[i], f->bytes + s->file_off, s->file_size);
    }
    kfree(offset);
    return 0;
}

void module_protect(struct loaded_module *m) {
    static const unsigned flags[MODULE_GROUPS] = {PAGE_X, PAGE_R, PAGE_W};
    for (unsigned group = 0; group < MODULE_GROUPS; group++)
        if (m->region[group].size > 0)
            paging_protect(m->region[group].base, m->region[group].size, flags[group]);
    const struct module_region *data = &m->region[MODULE_DATA];
    paging_protect(data->base + data->size - PAGE_SIZE, PAGE_SIZE, PAGE_NONE);
}

void module_unplace(struct loaded_module *m) {
    for (unsigned group = 0; group < MODULE_GROUPS; group++) {
        struct module_region *region = &m->region[group];
        if (region->size > 0)
            paging_protect(region->base, region->size, PAGE_W);
        pool_free(pool_of[group], region->base);
        *region = (struct module_region){NULL, 0};
    }
}

bool module_spans(const struct loaded_module *m, uintptr_t address) {
    for (unsigned group = 0; group < MODULE_GROUPS; group++)
        if (address - (uintptr_t)m->region[group].base < m->region[group].size)
            return true;
    return false;
}
