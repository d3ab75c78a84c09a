/* e820.h - the firmware's memory map, put in order. */
#ifndef KERNEL_MM_E820_H
#define KERNEL_MM_E820_H

#include <stdint.h>
#include "fluid/bootinfo.h"

/* Between 2n boundaries every second piece at most is usable RAM. */
#define E820_RANGES_MAX (BOOTINFO_E820_MAX + 1)

struct e820_range { /* in pages */
    uint64_t first;
    uint64_t count;
};

/* Usable RAM within pages [from, to) as ascending ranges that neither overlap nor touch. Entries
 * may be in any order, overlap, be empty or run past the end of the address space; wherever kinds
 * overlap, a reserved one wins; pages that are only partly usable are not. Returns the number of
 * ranges. */
unsigned e820_usable(const struct e820_entry *entries, unsigned count, uint64_t from, uint64_t to,
                     struct e820_range ranges[E820_RANGES_MAX]);

#endif
