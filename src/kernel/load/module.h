/* module.h (kernel) - loading .mod files: check, place, relocate, protect, publish. */
#ifndef KERNEL_LOAD_MODULE_H
#define KERNEL_LOAD_MODULE_H

#include "fluid/kapi.h"
#include "fluid/module.h"

struct loaded_module; /* opaque; list in load/module.c */

/* Checks, places, relocates, protects and runs initialisers: E-MOD-01 .. 10 (docs/errors.md), 15
 * (name already loaded), 14 (entry point exists in another module), 16 (an initialiser faults).
 * usable: CPU bits that may be used. The file is not needed afterwards. */
struct loaded_module *module_load(const void *file, size_t size, uint32_t usable,
                                  struct fluid_error *err);
/* Address of an exported entry point, NULL when absent. */
void *module_export(const struct loaded_module *m, const char *name);
const char *module_name(const struct loaded_module *m);
const char *module_target(const struct loaded_module *m);
uint32_t module_rank(const struct loaded_module *m);
/* Symbol that covers address in any loaded module: "tensor_q4_1:matmul_q4_1"; false when none. */
bool module_symbolise(uintptr_t address, const char **module, const char **symbol,
                      uintptr_t *offset);
/* Does address lie in a module, also in one whose initialisers are running? */
bool module_contains(uintptr_t address);
void module_for_each(void (*visit)(const struct loaded_module *m, void *context), void *context);
size_t module_memory(const struct loaded_module *m); /* bytes of pages it occupies */
/* Finds the entry point among all loaded modules; NULL when none exports it. */
void *module_find_export(const char *name);
#endif
