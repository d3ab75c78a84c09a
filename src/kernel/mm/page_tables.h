/* page_tables.h - the format of page-table entries: PAE (three levels, 32-bit) and long mode (four
 * levels) share it (Intel SDM vol. 3A, sections 4.4 and 4.5). Levels count up from the last: 0 is a
 * page table. */
#ifndef KERNEL_MM_PAGE_TABLES_H
#define KERNEL_MM_PAGE_TABLES_H

#include <stdint.h>

#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_USER 0x4ull
#define PTE_WRITE_THROUGH 0x8ull
#define PTE_CACHE_OFF 0x10ull
#define PTE_LARGE 0x80ull /* above the last level: no table, a page of 2 MiB or 1 GiB */
#define PTE_EXEC                                                                                   \
    0x200ull /* ours (ignored by the processor): meant to be executable, with or without NX */
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* Of an entry that points to a table: it permits everything, the last level decides. */
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER)

#define TABLE_ENTRIES 512u
#define LEVEL_PAGE 0u
#define LEVEL_DIRECTORY 1u
#define LEVEL_GIB 2u /* entries for 1 GiB each, in long mode perhaps pages */
#ifdef __x86_64__
#define LEVEL_ROOT 3u
#define ROOT_ENTRIES TABLE_ENTRIES
#define ROOT_ENTRY_FLAGS TABLE_FLAGS
#define PAGING_ADDRESS_BITS 46 /* stays in the lower, canonical half */
#else
#define LEVEL_ROOT 2u
#define ROOT_ENTRIES 4u
#define ROOT_ENTRY_FLAGS PTE_PRESENT /* every other flag of a PAE PDPTE is reserved */
#define PAGING_ADDRESS_BITS 32
#endif
#define LEVEL_SHIFT(level) (12 + 9 * (level))
#define LEVEL_PAGES(level) ((uintptr_t)1 << (9 * (level)))

/* arch/<target>/paging_activate.c: switches to the tables at root. */
void paging_activate(uint64_t *root);

#endif
