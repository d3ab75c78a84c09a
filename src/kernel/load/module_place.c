/* module_place.c - a module's sections in memory: where they go and how they are protected. */
#include "lib/string.h"
#include "load/module_list.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"

#define BELOW_2_GIB 0x80000000u /* what a sign-extended 32-bit address reaches (-mcmodel=small) */

static enum module_group group_of(uint32_t flags) {
    if (flags & MOD_SECTION_EXEC)
        return MODULE_CODE;
    return flags & MOD_SECTION_WRITE ? MODULE_DATA : MODULE_RODATA;
}

static size_t align_up(size_t value, size_t align) {
    return (value + align - 1) & ~(align - 1);
}

/* Lays out the sections; offset (section_count,) gets each one's offset from the base. No sum can
 * wrap: module_file_open limits the total to MOD_MEMORY_MAX. */
static void lay_out(struct loaded_module *m, const struct module_file *f, size_t *offset) {
    size_t end = 0;
    for (unsigned group = 0; group < MODULE_GROUPS; group++) {
        for (uint32_t i = 0; i < m->section_count; i++) {
            struct mod_section s = module_file_section(f, i);
            if (group_of(s.flags) != group)
                continue;
            offset[i] = align_up(end, s.align);
            end = offset[i] + s.mem_size;
        }
        end = align_up(end, PAGE_SIZE);
        if (group == MODULE_GUARD)
            end += PAGE_SIZE;
        m->group_end[group] = end;
    }
    m->pages = end / PAGE_SIZE;
}

int module_place(struct loaded_module *m, const struct module_file *f, struct fluid_error *err) {
    size_t *offset = kzalloc(m->section_count * sizeof *offset + 1);
    if (offset) {
        lay_out(m, f, offset);
        m->base = pages_alloc_for(PAGES_CODE, m->pages, PAGE_SIZE, BELOW_2_GIB);
    }
    if (!m->base) {
        kfree(offset);
        return fluid_fail(err, "E-MOD-10", "%zu KiB of memory below 2 GiB needed, not available",
                          m->pages * (PAGE_SIZE / 1024));
    }
    memset(m->base, 0, m->pages * PAGE_SIZE);
    for (uint32_t i = 0; i < m->section_count; i++) {
        struct mod_section s = module_file_section(f, i);
        m->section[i] = m->base + offset[i];
        memcpy(m->section[i], f->bytes + s.file_off, s.file_size);
    }
    kfree(offset);
    return 0;
}

void module_protect(struct loaded_module *m) {
    static const unsigned flags[MODULE_GROUPS] = {PAGE_X, PAGE_R, PAGE_W, PAGE_NONE};
    size_t start = 0;
    for (unsigned group = 0; group < MODULE_GROUPS; group++) {
        if (m->group_end[group] > start)
            paging_protect(m->base + start, m->group_end[group] - start, flags[group]);
        start = m->group_end[group];
    }
}

void module_unplace(struct loaded_module *m) {
    if (!m->base)
        return;
    paging_protect(m->base, m->pages * PAGE_SIZE, PAGE_W);
    pages_free(m->base, m->pages);
    m->base = NULL;
}
