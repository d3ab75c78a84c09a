/* module_list.h - a loaded module as load/ itself sees it, and placing one (module_place.c). */
#ifndef KERNEL_LOAD_MODULE_LIST_H
#define KERNEL_LOAD_MODULE_LIST_H

#include "load/module.h"
#include "load/module_file.h"

/* Sections are grouped by protection, each group in pages of its own. */
enum module_group { MODULE_CODE, MODULE_RODATA, MODULE_DATA, MODULE_GROUPS };

struct module_region {
    uint8_t *base; /* page-aligned, below 2 GiB; NULL: the group is empty */
    size_t size;   /* whole pages; of the data with a guard page at the end */
};

struct loaded_module {
    struct loaded_module *next;
    char name[MOD_NAME_SIZE];
    char target[MOD_TARGET_SIZE];
    uint8_t source[MOD_SOURCE_SIZE];
    uint32_t rank;
    struct module_region region[MODULE_GROUPS];
    /* In the pool of metadata: */
    uint8_t **section;          /* (section_count,) addresses */
    struct mod_section *layout; /* (section_count,) as in the file */
    struct mod_export *exports; /* (export_count,) */
    struct mod_symbol *symbols; /* (symbol_count,) */
    char *strings;
    uint32_t section_count, export_count, symbol_count;
    uint32_t users;   /* module_hold */
    unsigned account; /* of the heap, for what it asks for */
    bool from_disk;
    bool aside;          /* module_load_aside */
    const void *bitcode; /* of its file, which stays; NULL: none */
    size_t bitcode_size;
    uint64_t bitcode_cpu; /* features that code of its variant uses */
};

/* module_list.c: the first of all that are loaded, linked by `next`; one more, one less. */
const struct loaded_module *module_list(void);
void module_list_add(struct loaded_module *m);
void module_list_remove(struct loaded_module *m);
/* The one in no list whose initialisers or finalisers run, for backtraces; NULL: none any more. */
void module_list_pass(struct loaded_module *m);

/* Allocates the pages and copies the sections in, writable for now. -1 with E-MOD-10. */
int module_place(struct loaded_module *m, const struct module_file *f, struct fluid_error *err);
/* Applies all relocations. -1 with E-MOD-08 or E-MOD-09. */
int module_relocate(struct loaded_module *m, const struct module_file *f, struct fluid_error *err);
/* Gives every group its final protection. */
void module_protect(struct loaded_module *m);
/* Calls the initialisers; -1 with E-MOD-08, and none called, when one or a finaliser is outside the
 * code, with E-MOD-16 when one faults. */
int module_initialise(struct loaded_module *m, struct fluid_error *err);
/* Calls the finalisers, last first. A fault is warned of, E-MOD-16, and ends it. */
void module_finalise(struct loaded_module *m);
/* Gives the pages back, readable and writable as they came. */
void module_unplace(struct loaded_module *m);
/* Does the address lie in one of its regions? */
bool module_spans(const struct loaded_module *m, uintptr_t address);

/* slot.c: the name of a slot whose code is in `old` and that `new`, NULL for none, cannot fill;
 * NULL when it fills all. */
const char *slot_without(const struct loaded_module *old, const struct loaded_module *new);
/* Lets those slots call the code of `new`. */
void slot_move(const struct loaded_module *old, const struct loaded_module *new);
#endif
