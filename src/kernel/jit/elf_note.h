/* elf_note.h - the build ID of a program. */
#ifndef KERNEL_JIT_ELF_NOTE_H
#define KERNEL_JIT_ELF_NOTE_H

#include <stddef.h>

#include "fluid/kapi.h"

/* The GNU build ID of an ELF64 file (the note of type NT_GNU_BUILD_ID in a PT_NOTE segment) as
 * lower-case hex. -1 with E-JIT-34 when the file has none that fits. */
int elf_build_id(const void *file, size_t size, char *hex, size_t hex_size,
                 struct fluid_error *err);
#endif
