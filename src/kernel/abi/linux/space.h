/* space.h - the memory of one program in ring 3: which addresses it may use, and the pages there.
 *
 * Addresses of programs are 2^46 to 2^47 less a page: the kernel, which maps memory at its physical
 * address, never has a page there (PAGING_ADDRESS_BITS). So one root table has both, the kernel's
 * pages as before: of ring 0. Pages come when they are touched. No page is writable and executable.
 *
 * The kernel never uses a program's address itself: it finds the page in these tables, with the
 * rights that the program has, and uses its physical address. SMAP and SMEP stay on. */
#ifndef KERNEL_ABI_LINUX_SPACE_H
#define KERNEL_ABI_LINUX_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/page_tables.h"
#include "mm/paging.h"

#define SPACE_START (1ull << PAGING_ADDRESS_BITS)
/* The last page stays free: a system call at its end would return to no canonical address. */
#define SPACE_END ((1ull << 47) - 4096)
#define SPACE_REGIONS_MAX 1024u

/* Addresses with equal rights. */
struct region {
    uint64_t start, end;   /* whole pages */
    unsigned flags;        /* PAGE_R, PAGE_W, PAGE_X or PAGE_NONE */
    const uint8_t *source; /* what its pages hold at first, zeros behind; page-aligned */
    uint64_t source_size;
    bool uncharged; /* the stack: what of it is touched counts, as a page of its own */
};

struct space {
    uint64_t *root;
    struct region *regions; /* (region_count,) ascending, no two overlap */
    unsigned region_count;
    uint64_t reserved; /* bytes of all regions but those that are not charged */
    size_t pages;      /* that it has of its own, tables included */
    size_t pages_peak, pages_max;
};

/* False: no memory. What was made is given back by space_destroy in any case. pages_max: it never
 * has more of its own. */
bool space_create(struct space *space, size_t pages_max);
void space_destroy(struct space *space);

/* A range of addresses: whole pages in [SPACE_START, SPACE_END), not empty. */
bool space_is_range(uint64_t start, uint64_t size);
/* Adds a region where there is none. False: there is, or there are too many regions. */
bool space_add(struct space *space, const struct region *region);
/* Nothing is there any more. False: too many regions, and nothing has changed. */
bool space_remove(struct space *space, uint64_t start, uint64_t end);
/* Other rights for what is there. False: a part of it is not, or too many regions. */
bool space_protect(struct space *space, uint64_t start, uint64_t end, unsigned flags);
/* The highest free addresses below limit; 0: none. */
uint64_t space_find(const struct space *space, uint64_t size, uint64_t limit);
/* The bytes of a range that are in regions. */
uint64_t space_covered(const struct space *space, uint64_t start, uint64_t end);

enum space_result { SPACE_OK, SPACE_FORBIDDEN, SPACE_NO_MEMORY };
/* The page at address, for reading (PAGE_R), writing or executing it: it is there from now on.
 * *page, which may be NULL: its physical address. */
enum space_result space_touch(struct space *space, uint64_t address, unsigned access,
                              uint8_t **page);
/* What of size bytes at address could be copied: all, or an error. */
enum space_result space_read(struct space *space, void *to, uint64_t from, size_t size);
enum space_result space_write(struct space *space, uint64_t to, const void *from, size_t size);
#endif
