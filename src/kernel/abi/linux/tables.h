/* tables.h - between regions.c (what a program may use) and tables.c (the pages that are there). */
#ifndef KERNEL_ABI_LINUX_TABLES_H
#define KERNEL_ABI_LINUX_TABLES_H

#include "abi/linux/space.h"
#include "mm/pages.h"

/* regions.c: NULL when the address is in none. */
const struct region *space_region(const struct space *space, uint64_t address);

/* tables.c: the program's own pages there are given back. */
void tables_clear(struct space *space, uint64_t start, uint64_t end);
void tables_protect(struct space *space, uint64_t start, uint64_t end, unsigned flags);
/* flush.c: entries for these addresses have changed. */
void space_flush(uint64_t start, uint64_t end);
#endif
