/* program_file.h - a program's file in memory as linux_run wants it: whole pages, zeros behind. */
#ifndef KERNEL_ABI_LINUX_PROGRAM_FILE_H
#define KERNEL_ABI_LINUX_PROGRAM_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "fs/fat16.h"

struct program_file {
    uint8_t *bytes; /* NULL: none */
    size_t size;
};

/* -1 with E-JIT-33 when it does not fit into memory, or why it cannot be read. */
int program_file_read(struct program_file *file, struct fat16 *files,
                      const struct fat16_entry *entry, struct fluid_error *err);
void program_file_free(struct program_file *file);
#endif
