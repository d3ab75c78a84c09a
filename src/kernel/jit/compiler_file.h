/* compiler_file.h - JIT.ELF on the model's partition. */
#ifndef KERNEL_JIT_COMPILER_FILE_H
#define KERNEL_JIT_COMPILER_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "fs/fat16.h"

#define COMPILER_HEAD_SIZE 4096u /* bytes that hold the headers and the build ID */

/* -1: there is none, as in most images. */
int compiler_file_find(struct fat16 **files, struct fat16_entry *entry, struct fluid_error *err);
/* Its first bytes, at most COMPILER_HEAD_SIZE, as if they were all (kfree); NULL with E-JIT-33, or
 * why it cannot be read. The rest is read when it is to run. */
uint8_t *compiler_file_head(struct fat16 *files, const struct fat16_entry *entry, size_t *size,
                            struct fluid_error *err);
#endif
