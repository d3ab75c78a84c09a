/* slot.h - slots, for who replaces the code in them (jit/). */
#ifndef KERNEL_LOAD_SLOT_H
#define KERNEL_LOAD_SLOT_H

#include "fluid/kapi.h"

struct slot_watcher {
    void (*made)(struct fluid_slot *slot); /* a new one, or one that was there before the watcher */
    void (*moved)(struct fluid_slot *slot); /* it has the code of another module from now on */
};

/* One at a time. */
void slot_watch(const struct slot_watcher *watcher);
/* Code of the loaded module that exports its operation, whatever takes its place now. */
void *slot_base(const struct fluid_slot *slot);
/* What is chosen about calls as if nothing had been measured. */
void slot_reset_knobs(struct fluid_slot *slot);
#endif
