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

/* What a page is used for: /mem has a line for each. */
#define PAGE_USE_LIST(X)                                                                           \
    X(FREE, "free")                                                                                \
    X(KERNEL, "kernel image")                                                                      \
    X(BOOT, "names and registry")                                                                  \
    X(MAP, "page allocator")                                                                       \
    X(TABLES, "page tables")                                                                       \
    X(SLABS, "heap, small blocks")                                                                 \
    X(HEAP, "heap, large blocks")                                                                  \
    X(MODEL, "model weights")                                                                      \
    X(CODE, "modules' code")                                                                       \
    X(DATA, "modules' data")                                                                       \
    X(METADATA, "modules' tables")                                                                 \
    X(DMA, "device buffers (DMA)")                                                                 \
    X(STACKS, "stacks of tasks")                                                                   \
    X(COMPILER, "compiler (JIT.ELF)")                                                              \
    X(PROCESS, "pages of programs")
enum page_use {
#define PAGE_USE_NAME(name, text) PAGES_##name,
    PAGE_USE_LIST(PAGE_USE_NAME)
#undef PAGE_USE_NAME
        PAGES_USES
};

void pages_init(const struct bootinfo *boot);
/* count contiguous pages aligned to align bytes (power of two >= PAGE_SIZE); content undefined;
 * NULL when no such run is free. The smallest free block that fits, lowest address first, or for
 * long runs that are no power of two the lowest place; the near node's memory before others'.
 * below: exclusive limit of the end, 0 for none. */
void *pages_alloc_for(enum page_use use, size_t count, size_t align, uint64_t below);
/* The same for a device that reads or writes them. */
void *pages_alloc(size_t count, size_t align, uint64_t below);
/* Panics on double free. Short runs are overwritten with junk, which must still be there when they
 * are given out again: give pages back writable. */
void pages_free(void *first, size_t count);
size_t pages_total(void); /* usable pages found at boot, kernel included */
size_t pages_available(void);
size_t pages_used_for(enum page_use use); /* the sum over all uses is pages_total() */
const char *pages_use_name(enum page_use use);
/* Of the page at this address; PAGES_FREE for what is no RAM. */
enum page_use pages_use_at(const void *address);
bool pages_is_ram(uint64_t base, uint64_t length); /* any page of it is usable RAM; length > 0 */
/* Highest usable physical address + 1 that the kernel can address. */
uint64_t pages_top(void);
/* Calls visit for every usable range, in order. */
void pages_for_each_range(void (*visit)(uint64_t base, uint64_t length, void *context),
                          void *context);
/* Memory at [base, base + length) is near this processor: it is given out first. */
void pages_prefer(uint64_t base, uint64_t length);
/* Free pages within [base, base + length). */
size_t pages_available_in(uint64_t base, uint64_t length);
/* Panics when an invariant of the allocator does not hold. Looks at every page. */
void pages_check(void);
#endif
