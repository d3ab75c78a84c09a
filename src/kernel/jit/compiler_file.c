/* compiler_file.c - finds JIT.ELF, and reads what tells it from another one. */
#include "jit/compiler_file.h"

#include "fs/partition.h"
#include "jit/compiler.h"
#include "mm/heap.h"

int compiler_file_find(struct fat16 **files, struct fat16_entry *entry, struct fluid_error *err) {
    *files = partition_files(err);
    return *files == NULL ? -1 : fat16_lookup(*files, COMPILER_FILE, entry, err);
}

uint8_t *compiler_file_head(struct fat16 *files, const struct fat16_entry *entry, size_t *size,
                            struct fluid_error *err) {
    struct fat16_entry head = *entry;
    uint8_t *bytes = kmalloc(COMPILER_HEAD_SIZE);
    if (bytes == NULL) {
        fluid_fail(err, "E-JIT-33",
                   "memory for the headers of " COMPILER_FILE " expected, found none");
        return NULL;
    }
    head.size = head.size < COMPILER_HEAD_SIZE ? head.size : COMPILER_HEAD_SIZE;
    *size = head.size;
    if (fat16_read(files, &head, bytes, COMPILER_HEAD_SIZE, NULL, err) == 0)
        return bytes;
    kfree(bytes);
    return NULL;
}
