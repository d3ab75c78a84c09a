/* buddy.h - the free pages of one range of memory as blocks of 2^order pages, each aligned to its
 * size (Knuth, The Art of Computer Programming, vol. 1, 2.5: the buddy system). Knows numbers of
 * pages only, and touches none of them.
 *
 * A request need not be a power of two: the smallest block that holds it is split, and what is left
 * behind it goes back at once. */
#ifndef KERNEL_MM_BUDDY_H
#define KERNEL_MM_BUDDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDDY_ORDERS 19u /* 4 KiB .. 1 GiB */

/* Invariants: bit i of map[k] is set while block (first >> k) + i of order k is free; no page is in
 * two free blocks; of two buddies within the range at most one is free, lower ones apart. */
struct buddy {
    uint64_t first; /* page number */
    size_t count;
    size_t free;                  /* pages */
    size_t blocks[BUDDY_ORDERS];  /* free ones */
    size_t hint[BUDDY_ORDERS];    /* no bit is set in the words before this one */
    uintptr_t *map[BUDDY_ORDERS]; /* one bit per block of the order */
};

/* Bytes that the maps of such a range take. */
size_t buddy_map_size(uint64_t first, size_t count);
/* All pages in use; memory: that many bytes, aligned to a word. */
void buddy_init(struct buddy *b, uint64_t first, size_t count, void *memory);
/* Page 0 is in no range. The first of count pages, a multiple of align (power of two), within pages
 * [from, end), from one free block: the smallest order that has one, lowest address first. 0: there
 * is none, though two blocks that touch may hold such a run (buddy_carve). */
uint64_t buddy_take(struct buddy *b, size_t count, uint64_t align, uint64_t from, uint64_t end);
/* Takes these pages, all free, out of whatever blocks they are in. */
void buddy_carve(struct buddy *b, uint64_t first, size_t count);
/* Gives pages back, none of them free; blocks merge with their buddies. */
void buddy_give(struct buddy *b, uint64_t first, size_t count);
/* The free block that holds the page; its order, or -1: the page is in use. */
int buddy_order_at(const struct buddy *b, uint64_t page);
/* NULL when every invariant holds, else what does not. is_free: what the owner thinks of a page. */
const char *buddy_check(const struct buddy *b, bool (*is_free)(uint64_t page));

#endif
