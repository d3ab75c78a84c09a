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
/* The same, but where a module of that name is loaded, the new one takes its place: for all slots
 * at once, and only when everything has succeeded. E-MOD-17: the old one cannot be replaced, since
 * it is in use, or a slot has an entry point that the new one lacks. */
struct loaded_module *module_override(const void *file, size_t size, uint32_t usable,
                                      struct fluid_error *err);
/* The same as module_load, but beside all others: neither its name nor its entry points need be
 * new, and nobody finds it by them. For code that takes the place of another module's (jit/). */
struct loaded_module *module_load_aside(const void *file, size_t size, uint32_t usable,
                                        struct fluid_error *err);
bool module_is_aside(const struct loaded_module *m);
/* Finalises it and gives its memory back. -1 with E-MOD-17: it is in use, or slots have its code.
 */
int module_unload(struct loaded_module *m, struct fluid_error *err);
struct loaded_module *module_find(const char *name); /* NULL: none is loaded */
/* While anyone holds a module it is neither replaced nor unloaded: who has data of it in hand, or
 * runs in it across commands. NULL is allowed. */
void module_hold(struct loaded_module *m);
void module_release(struct loaded_module *m);
bool module_is_held(const struct loaded_module *m);
/* The loaded module that an entry point of this name is in, NULL when none. */
struct loaded_module *module_of_export(const char *name);
bool module_is_from_disk(const struct loaded_module *m);
void module_set_from_disk(struct loaded_module *m);
/* Address of an exported entry point, NULL when absent. */
void *module_export(const struct loaded_module *m, const char *name);
const char *module_name(const struct loaded_module *m);
const char *module_target(const struct loaded_module *m);
uint32_t module_rank(const struct loaded_module *m);
/* Symbol that covers address in any loaded module: "tensor_q4_1:matmul_q4_1"; false when none. */
bool module_symbolise(uintptr_t address, const char **module, const char **symbol,
                      uintptr_t *offset);
/* The loaded module whose code or data address lies in, NULL: none. */
const struct loaded_module *module_at(uintptr_t address);
/* Digest of the sources that it was made from: MOD_SOURCE_SIZE bytes. */
const uint8_t *module_source(const struct loaded_module *m);
/* Does address lie in a module, also in one whose initialisers are running? */
bool module_contains(uintptr_t address);
/* LLVM bitcode of it, NULL: none came with it. */
const void *module_bitcode(const struct loaded_module *m, size_t *size);
/* Features (enum fluid_cpu_feature) that code of the bitcode's variant uses. */
uint64_t module_bitcode_cpu(const struct loaded_module *m);
void module_set_bitcode(struct loaded_module *m, const void *bitcode, size_t size, uint64_t cpu);
/* Of those beside others: none. */
void module_for_each(void (*visit)(const struct loaded_module *m, void *context), void *context);
size_t module_memory(const struct loaded_module *m); /* bytes of pages it occupies */
/* The heap's account of a module; of the one that address lies in, the kernel's when in none. */
unsigned module_account(const struct loaded_module *m);
unsigned module_account_at(uintptr_t address);
/* Has it no entry points, as one that is bitcode alone? */
bool module_is_empty(const struct loaded_module *m);
/* Finds the entry point among all loaded modules; NULL when none exports it, nor one that `more`
 * has brought, which is asked for it as long as it says true. Others may run meanwhile, and modules
 * may be replaced. */
void *module_find_export(const char *name);
void module_when_missing(bool (*more)(const char *name));
#endif
