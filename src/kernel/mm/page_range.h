/* page_range.h - between pages.c (giving out and taking back) and pages_init.c (what there is). */
#ifndef KERNEL_MM_PAGE_RANGE_H
#define KERNEL_MM_PAGE_RANGE_H

#include "mm/buddy.h"
#include "mm/e820.h"
#include "mm/pages.h"

/* Usable RAM without a hole. Invariant: use[i] is PAGES_FREE, perhaps with PAGE_FILLED, exactly
 * while page buddy.first + i is in a free block. */
struct page_range {
    struct buddy buddy;
    uint8_t *use; /* (buddy.count,) enum page_use */
};

#define PAGE_FILLED 0x80u /* free, and each byte of it is PAGE_JUNK */
#define PAGE_JUNK 0xd5
#define PAGE_USE(use) ((use) & ~PAGE_FILLED)

/* Ascending, no two touch: a run of free pages lies in one. */
extern struct page_range page_ranges[E820_RANGES_MAX];
extern unsigned page_range_count;
extern size_t page_counts[PAGES_USES]; /* of pages, for each use */

#endif
