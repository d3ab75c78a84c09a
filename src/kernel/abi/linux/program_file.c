/* program_file.c - reading it, in one piece. */
#include "abi/linux/program_file.h"

#include "lib/string.h"
#include "mm/pages.h"
#include "task/task.h"

static size_t pages_of(size_t size) {
    return size > 0 ? (size - 1) / PAGE_SIZE + 1 : 1;
}

/* Other tasks have their turns meanwhile. */
static void progress(uint64_t done, uint64_t total) {
    (void)done;
    (void)total;
    task_preemption_point();
}

int program_file_read(struct program_file *file, struct fat16 *files,
                      const struct fat16_entry *entry, struct fluid_error *err) {
    size_t pages = pages_of(entry->size);
    file->size = entry->size;
    file->bytes = pages_alloc_for(PAGES_COMPILER, pages, PAGE_SIZE, 0);
    if (file->bytes == NULL)
        return fluid_fail(
            err, "E-JIT-33",
            "%zu KiB of free memory in one piece expected for %.60s, found %zu KiB in "
            "all; give the machine more",
            pages * (PAGE_SIZE / 1024), entry->name, pages_available() * (PAGE_SIZE / 1024));
    if (fat16_read(files, entry, file->bytes, pages * PAGE_SIZE, progress, err) < 0) {
        program_file_free(file);
        return -1;
    }
    memset(file->bytes + file->size, 0, pages * PAGE_SIZE - file->size);
    return 0;
}

void program_file_free(struct program_file *file) {
    if (file->bytes != NULL)
        pages_free(file->bytes, pages_of(file->size));
    file->bytes = NULL;
    file->size = 0;
}
