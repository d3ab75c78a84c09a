/* registry.h (kernel) - picks and loads the best usable variant of every module in the registry. */
#ifndef KERNEL_LOAD_REGISTRY_H
#define KERNEL_LOAD_REGISTRY_H

#include <stddef.h>
#include "fluid/registry.h"

/* Loads, for every name, the highest-ranked variant that the CPU can run and that passes its
 * checks; each rejected one is reported as a warn event with its E-MOD code (those that want more
 * than the CPU has together in one, E-MOD-07), a name without any as an error event (E-MOD-11).
 * Returns the number of modules loaded. A damaged index is an error event (E-MOD-12) and 0. */
unsigned registry_load_all(const void *registry, size_t size);
#endif
