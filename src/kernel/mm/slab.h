/* slab.h - blocks of up to some KiB, in slabs of blocks of one size class (Bonwick, The Slab
 * Allocator, 1994; without constructors). A header in front of each block and a red zone behind it
 * tell who has overwritten what. */
#ifndef KERNEL_MM_SLAB_H
#define KERNEL_MM_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_SIZE_MAX 4044u /* the largest class, less header and red zone */

void *slab_alloc(size_t size, unsigned account); /* size <= SLAB_SIZE_MAX; NULL: no memory */
/* Of a live block: what was asked for, and on whose account. */
size_t slab_size(const void *memory);
unsigned slab_account(const void *memory);
/* As heap_misuse, for an address in a page of PAGES_SLABS. */
const char *slab_misuse(const void *memory);
/* An overwritten block is nobody's any more, and never given out again. */
void slab_write_off(void *memory);
/* slab_misuse found nothing. A slab without live blocks goes back, but for one of each class. */
void slab_free(void *memory);
void slab_check(void);

/* Four bytes behind memory that is in use, and what they must still be. */
#define RED_ZONE_SIZE sizeof(uint32_t)
void red_zone_set(void *memory, size_t size);
const char *red_zone_misuse(const void *memory, size_t size);
#endif
