/* paging.h - the page tables: identity-mapped RAM in 2 MiB pages, split where protection differs.
 */
#ifndef KERNEL_MM_PAGING_H
#define KERNEL_MM_PAGING_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_R 0u /* readable, nothing else */
#define PAGE_W 1u
#define PAGE_X 2u
#define PAGE_NONE 4u     /* not present: guard pages, the null page */
#define PAGE_UNCACHED 8u /* device registers */
#define PAGE_USER 16u    /* of ring 3: in tables of its own (abi/linux/space.c), or a self-test's */

void paging_init(void); /* builds and activates the final tables: null page absent, text read-only,
                           NX elsewhere */
/* Walks all tables: identity-mapped, no page both writable and executable or of ring 3, kernel text
 * and rodata not writable, page 0 and the guards of the stacks absent; panics at the first page
 * that differs.
 */
void paging_check(void);
/* Sets protection of whole pages; start and size page-aligned. PAGE_W|PAGE_X together panics. */
void paging_protect(const void *start, size_t size, unsigned flags);
/* Maps device memory uncached at its physical address; returns NULL when it cannot be addressed
 * or is RAM. */
void *paging_map_device(uint64_t physical, size_t size);
/* For tables of ring 3: the kernel's part of the root table, which may grow. */
void paging_share(uint64_t *root);
uint64_t *paging_root(void);
#define PAGING_SIZES 3u
/* How many pages are mapped: of 4 KiB, of 2 MiB, of 1 GiB. */
void paging_count(size_t counts[PAGING_SIZES]);
/* For self-tests and /mem: flags of the page at address, PAGE_NONE when absent. */
unsigned paging_query(const void *address);
#endif
