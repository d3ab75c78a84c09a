/* module_disk.h - modules in the folder MODULES of the FAT16 partition. */
#ifndef KERNEL_LOAD_MODULE_DISK_H
#define KERNEL_LOAD_MODULE_DISK_H

#include "load/module.h"

#define MODULE_FOLDER "MODULES"

/* At boot: every *.mod of the folder takes the place of the image's module of its name, or joins
 * them. One that does not work is warned of with its code, and what it would have replaced stays.
 * Of several with one module name the highest rank that works wins. */
void module_disk_load_all(void);
/* MODULES/<name>.mod, in the place of the module of its name. NULL, and nothing has changed:
 * E-DISK-nn, E-FAT-nn, E-MOD-nn. */
struct loaded_module *module_disk_load(const char *name, struct fluid_error *err);
/* Takes out a module that came from MODULES; the image's, if it has one of that name, comes back.
 * -1, and nothing has changed: E-MOD-17 in use, E-MOD-18 no such module. */
int module_disk_unload(const char *name, struct fluid_error *err);
#endif
