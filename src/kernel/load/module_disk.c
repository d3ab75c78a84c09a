/* module_disk.c - modules that the user has put beside the model. */
#include "load/module_disk.h"

#include "arch/x86/cpu.h"
#include "console/event.h"
#include "fs/partition.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/registry.h"
#include "mm/heap.h"

#define SUFFIX ".mod"
#define PATH_SIZE (sizeof MODULE_FOLDER "/" SUFFIX + MOD_NAME_SIZE)

/* The bytes of a file, to be freed with kfree; NULL with the reason. */
static void *read_file(struct fat16 *files, const struct fat16_entry *entry,
                       struct fluid_error *err) {
    void *bytes = kmalloc(entry->size > 0 ? entry->size : 1);
    if (!bytes) {
        fluid_fail(err, "E-MOD-10", "%u KiB of memory for a module file needed, not available",
                   entry->size / 1024);
        return NULL;
    }
    if (fat16_read(files, entry, bytes, entry->size, NULL, err) == 0)
        return bytes;
    kfree(bytes);
    return NULL;
}

static struct loaded_module *load_file(const void *bytes, size_t size, struct fluid_error *err) {
    struct loaded_module *m = module_override(bytes, size, cpu_info()->features, err);
    if (m)
        module_set_from_disk(m);
    return m;
}

/* Another file with this one's module name came before: is this one better? */
static bool is_lower(const void *bytes, size_t size) {
    struct mod_header h;
    if (size < sizeof h)
        return false;
    memcpy(&h, bytes, sizeof h);
    h.name[sizeof h.name - 1] = '\0';
    const struct loaded_module *same = module_find(h.name);
    return same && module_is_from_disk(same) && h.rank <= module_rank(same);
}

static bool has_suffix(const char *name) {
    size_t length = strlen(name), suffix = strlen(SUFFIX);
    if (length <= suffix)
        return false;
    for (size_t i = 0; i < suffix; i++)
        if ((name[length - suffix + i] | ('a' - 'A')) != (SUFFIX[i] | ('a' - 'A')))
            return false;
    return true;
}

/* At boot a file that does not work is no reason to stop. */
static bool take(const struct fat16_entry *entry, void *context) {
    struct fluid_error err = {0}, told;
    if (entry->directory || !has_suffix(entry->name))
        return true;
    void *bytes = read_file(context, entry, &err);
    if (bytes && is_lower(bytes, entry->size)) {
        kfree(bytes);
        return true;
    }
    if (!bytes || !load_file(bytes, entry->size, &err)) {
        told = err;
        ksnprintf(told.text, sizeof told.text, MODULE_FOLDER "/%.60s: %s", entry->name, err.text);
        report_warn(&told);
    }
    kfree(bytes);
    return true;
}

void module_disk_load_all(void) {
    struct fluid_error err;
    struct fat16 *files = partition_files(NULL);
    struct fat16_entry folder;
    if (!files)
        return; /* the model's loading says why */
    if (fat16_lookup(files, MODULE_FOLDER, &folder, &err) < 0) {
        if (strcmp(err.code, "E-FAT-18") != 0) /* most have no such folder */
            report_warn(&err);
        return;
    }
    if (fat16_list(files, MODULE_FOLDER, take, files, &err) < 0)
        report_warn(&err);
}

struct loaded_module *module_disk_load(const char *name, struct fluid_error *err) {
    struct fat16 *files = partition_files(err);
    struct fat16_entry entry;
    char path[PATH_SIZE];
    if (!files)
        return NULL;
    ksnprintf(path, sizeof path, MODULE_FOLDER "/%s" SUFFIX, name);
    if (fat16_lookup(files, path, &entry, err) < 0)
        return NULL;
    if (entry.directory) {
        fluid_fail(err, "E-FAT-19", "%s: a file expected, found a directory", path);
        return NULL;
    }
    void *bytes = read_file(files, &entry, err);
    struct loaded_module *m = bytes ? load_file(bytes, entry.size, err) : NULL;
    kfree(bytes);
    return m;
}

int module_disk_unload(const char *name, struct fluid_error *err) {
    struct loaded_module *m = module_find(name);
    if (!m || !module_is_from_disk(m))
        return fluid_fail(err, "E-MOD-18",
                          "a module that came from " MODULE_FOLDER
                          " expected, found %s '%s'; /load lists the modules",
                          m ? "the image's" : "none of the name", name);
    if (!registry_has(name) || module_is_held(m)) /* which is refused, with the reason */
        return module_unload(m, err);
    if (registry_restore(name))
        return 0;
    return fluid_fail(err, "E-MOD-11",
                      "module %s: the image's variant expected to take its place, none works; it "
                      "stays loaded",
                      name);
}
