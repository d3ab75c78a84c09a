/* module_file.h - a .mod file in memory whose every field has been checked (module_file.c). Records
 * are copied out, since nothing guarantees their alignment. */
#ifndef KERNEL_LOAD_MODULE_FILE_H
#define KERNEL_LOAD_MODULE_FILE_H

#include <stdbool.h>
#include "fluid/kapi.h"
#include "fluid/module.h"

struct module_file {
    const uint8_t *bytes;
    struct mod_header header;
};

/* Fills *f; -1 with E-MOD-01 .. 07. Afterwards all accessors below are safe for indexes below the
 * header's counts. */
int module_file_open(struct module_file *f, const void *file, size_t size, uint32_t usable,
                     struct fluid_error *err);

struct mod_section module_file_section(const struct module_file *f, uint32_t index);
struct mod_reloc module_file_reloc(const struct module_file *f, uint32_t index);
struct mod_export module_file_export(const struct module_file *f, uint32_t index);
struct mod_symbol module_file_symbol(const struct module_file *f, uint32_t index);
const char *module_file_import(const struct module_file *f, uint32_t index);
const char *module_file_string(const struct module_file *f, uint32_t offset);
/* A field holds a NUL-terminated text of printable ASCII that is not empty. */
bool module_file_is_text(const char *field, size_t size);
/* Bytes that a relocation of this type patches; 0: unknown type. */
uint32_t module_reloc_size(uint16_t type);
#endif
