/* slot.c - slots: the places through which operations are called (fluid/kapi.h). A slot is made at
 * its first request and never freed, since modules keep pointers to it. */
#include "arch/x86/cpu.h"
#include "fluid/kapi.h"
#include "fluid/tensor.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/module_list.h"
#include "load/slot.h"
#include "mm/heap.h"
#include "prof/profile.h"

struct slot_node {
    struct slot_node *next;
    void *base; /* code of the module that has the name; the slot's may be of one aside */
    struct fluid_slot slot;
    char name[];
};

static struct slot_node *slots;
static struct slot_watcher watcher; /* of NULLs: nobody */

static struct slot_node *find(const char *name, uint32_t rows, uint32_t cols) {
    for (struct slot_node *n = slots; n; n = n->next)
        if (n->slot.rows == rows && n->slot.cols == cols && strcmp(n->name, name) == 0)
            return n;
    return NULL;
}

/* caller: an address in who asks. */
static struct fluid_slot *get(const char *name, uint32_t rows, uint32_t cols, uintptr_t caller) {
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
    n->slot.profile = profile_get(module_of_export(name), n->name, rows, cols);
    if (!n->slot.profile) {
        kfree(n);
        return NULL;
    }
    const struct loaded_module *m = module_at(caller);
    if (m)
        profile_set_caller(n->slot.profile, module_name(m));
    n->base = n->slot.code = code;
    n->slot.rows = rows;
    n->slot.cols = cols;
    n->slot.name = n->name;
    slot_reset_knobs(&n->slot);
    n->next = slots;
    slots = n;
    if (watcher.made)
        watcher.made(&n->slot);
    return &n->slot;
}

void slot_watch(const struct slot_watcher *who) {
    watcher = *who;
    for (struct slot_node *n = slots; n && watcher.made; n = n->next)
        watcher.made(&n->slot);
}

void *slot_base(const struct fluid_slot *slot) {
    for (const struct slot_node *n = slots; n; n = n->next)
        if (&n->slot == slot)
            return n->base;
    return NULL;
}

void slot_reset_knobs(struct fluid_slot *slot) {
    slot->ahead = cpu_fetches_streams() ? AHEAD_NONE : 0;
    slot->piece_work = 0;
}

struct fluid_slot *fluid_slot_get(const char *name, uint32_t rows, uint32_t cols) {
    module_guard_enter_kernel();
    struct fluid_slot *slot = get(name, rows, cols, (uintptr_t)__builtin_return_address(0));
    module_guard_leave_kernel();
    return slot;
}

static bool in(const struct loaded_module *m, const struct slot_node *n) {
    return module_spans(m, (uintptr_t)n->base);
}

const char *slot_without(const struct loaded_module *old, const struct loaded_module *new) {
    for (const struct slot_node *n = slots; n; n = n->next)
        if (in(old, n) && (!new || !module_export(new, n->name)))
            return n->name;
    return NULL;
}

/* What is measured from now on belongs to the new module, or stays unmeasured without memory. */
static void move(struct slot_node *n, const struct loaded_module *new) {
    const struct profile *before = n->slot.profile;
    n->base = n->slot.code = module_export(new, n->name);
    n->slot.profile = profile_get(new, n->name, n->slot.rows, n->slot.cols);
    if (before && n->slot.profile)
        profile_set_caller(n->slot.profile, before->caller);
    if (watcher.moved)
        watcher.moved(&n->slot);
}

void slot_move(const struct loaded_module *old, const struct loaded_module *new) {
    for (struct slot_node *n = slots; n; n = n->next)
        if (in(old, n))
            move(n, new);
}
