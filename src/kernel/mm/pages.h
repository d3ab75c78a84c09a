/* pages.h - physical memory in 4 KiB pages, found through E820. Memory is identity-mapped, so a
 * page's physical and virtual address are the same number. */
#ifndef KERNEL_MM_PAGES_H
#define KERNEL_MM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fluid/bootinfo.h"

#define PAGE_SIZE 4096u
#define LARGE_PAGE_SIZE (2u << 20)
/* entry.S of every target maps at least this much; all that is needed before paging_init lies
 * below. */
#define PAGES_EARLY_LIMIT (1u << 30)

void pages_init(const struct bootinfo *boot);
/* count contiguous pages aligned to align bytes (power of two >= PAGE_SIZE); content undefined;
 * NULL when no such run is free. Lowest address first. below: exclusive limit of the end, 0 for
 * none. */
void *pages_alloc(size_t count, size_t align, uint64_t below);
/* Panics on double free. Short runs are overwritten with junk: give pages back writable. */
void pages_free(void *first, size_t count);
size_t pages_total(void); /* usable pages found at boot, kernel included */
size_t pages_available(void);
bool pages_is_ram(uint64_t base, uint64_t length); /* any page of it is usable RAM; length > 0 */
/* Highest usable physical address + 1 that the kernel can address. */
uint64_t pages_top(void);
/* Calls visit for every usable range, in order. */
void pages_for_each_range(void (*visit)(uint64_t base, uint64_t length, void *context),
                          void *context);
#endif
