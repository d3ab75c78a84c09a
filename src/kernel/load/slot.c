/* slot.c - slots: the places through which operations are called (fluid/kapi.h). A slot is made at
 * its first request and never freed, since modules keep pointers to it. */
#include "fluid/kapi.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/module_list.h"
#include "mm/heap.h"

struct slot_node {
    struct slot_node *next;
    struct fluid_slot slot;
    char name[];
};

static struct slot_node *slots;

static struct slot_node *find(const char *name, uint32_t rows, uint32_t cols) {
    for (struct slot_node *n = slots; n; n = n->next)
        if (n->slot.rows == rows && n->slot.cols == cols && strcmp(n->name, name) == 0)
            return n;
    return NULL;
}

static struct fluid_slot *get(const char *name, uint32_t rows, uint32_t cols) {
    struct slot_node *n = find(name, rows, cols);
    if (n)
        return &n->slot;
    void *code = module_find_export(name);
    if (!code)
        return NULL;
    size_t length = strlen(name);
    n = kzalloc(sizeof *n + length + 1);
    if (!n)
        return NULL;
    memcpy(n->name, name, length + 1);
    n->slot.code = code;
    n->slot.rows = rows;
    n->slot.cols = cols;
    n->slot.name = n->name;
    n->next = slots;
    slots = n;
    return &n->slot;
}

struct fluid_slot *fluid_slot_get(const char *name, uint32_t rows, uint32_t cols) {
    module_guard_enter_kernel();
    struct fluid_slot *slot = get(name, rows, cols);
    module_guard_leave_kernel();
    return slot;
}

static bool in(const struct loaded_module *m, const struct slot_node *n) {
    return module_spans(m, (uintptr_t)n->slot.code);
}

const char *slot_without(const struct loaded_module *old, const struct loaded_module *new) {
    for (const struct slot_node *n = slots; n; n = n->next)
        if (in(old, n) && (!new || !module_export(new, n->name)))
            return n->name;
    return NULL;
}

void slot_move(const struct loaded_module *old, const struct loaded_module *new) {
    for (struct slot_node *n = slots; n; n = n->next)
        if (in(old, n))
            n->slot.code = module_export(new, n->name);
}
