/* registry.h (kernel) - picks and loads the best usable variant of every module in the registry. */
#ifndef KERNEL_LOAD_REGISTRY_H
#define KERNEL_LOAD_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include "fluid/registry.h"

/* Loads, for every name, the highest-ranked variant that the CPU can run and that passes its
 * checks; each rejected one is reported as a warn event with its E-MOD code (those that want more
 * than the CPU has together in one, E-MOD-07), a name without any as an error event (E-MOD-11).
 * Returns the number of modules loaded. A damaged index is an error event (E-MOD-12) and 0. The
 * registry must stay where it is. */
unsigned registry_load_all(const void *registry, size_t size);
bool registry_has(const char *name);
/* Loads the best variant in the place of the loaded module of that name; false, after warnings that
 * say why, when none works: that module stays. */
bool registry_restore(const char *name);
#endif
