/* command_module.c - /load and /unload: modules from the folder MODULES of the model's partition.
 */
#include "console/command.h"

#include "console/event.h"
#include "lib/printf.h"
#include "load/module_disk.h"

static void print_module(const struct loaded_module *m, void *context) {
    (void)context;
    kprintf("  %-24s %-12s %5zu KiB  %s\n", module_name(m), module_target(m),
            module_memory(m) / 1024, module_is_from_disk(m) ? MODULE_FOLDER : "image");
}

/* Letters, digits and _ . - as in every module's name, so that no path is made of it. */
static bool is_name(const char *text, size_t length) {
    if (length == 0 || length >= MOD_NAME_SIZE || text[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '.' && c != '-')
            return false;
    }
    return true;
}

static bool named(const char *argument, size_t length, const char *command) {
    struct fluid_error err;
    if (is_name(argument, length))
        return true;
    fluid_fail(
        &err, "E-CON-03",
        "/%s expects the name of a module: 1 to %u letters, digits or _ . -, found %zu bytes",
        command, MOD_NAME_SIZE - 1, length);
    report_error(&err);
    return false;
}

void command_load(char *argument, size_t length) {
    struct fluid_error err;
    if (length == 0) {
        module_for_each(print_module, NULL);
        return;
    }
    if (!named(argument, length, "load"))
        return;
    const struct loaded_module *m = module_disk_load(argument, &err);
    if (m)
        print_module(m, NULL);
    else
        report_error(&err);
}

void command_unload(char *argument, size_t length) {
    struct fluid_error err;
    if (!named(argument, length, "unload"))
        return;
    if (module_disk_unload(argument, &err) < 0) {
        report_error(&err);
        return;
    }
    const struct loaded_module *m = module_find(argument);
    if (m)
        print_module(m, NULL);
    else
        kprintf("  %-24s unloaded\n", argument);
}
