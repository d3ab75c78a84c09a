/* heap.h - kmalloc: memory of any size on top of the page allocator, 16-byte aligned. Every block
 * is on the account of whoever asked for it: the kernel, or one of the modules. */
#ifndef KERNEL_MM_HEAP_H
#define KERNEL_MM_HEAP_H

#include <stddef.h>

void *kmalloc(size_t size); /* NULL when out of memory */
void *kzalloc(size_t size);
void *kzalloc_aligned(size_t size, size_t align); /* align: power of two <= 2 MiB */
void *kcalloc(size_t count, size_t size);
void *krealloc(void *memory, size_t size); /* NULL: none, and memory is as it was */
void kfree(void *memory);                  /* NULL allowed; panics on what heap_misuse finds */
size_t heap_used(void);                    /* bytes handed out and not freed, on all accounts */
size_t heap_taken(void);                   /* blocks handed out since boot */

#define HEAP_ACCOUNTS 128u
#define HEAP_KERNEL 0u /* the kernel's account; also of modules when there are too many */
struct heap_account {
    size_t live, peak; /* bytes asked for */
    size_t blocks;     /* live ones */
};
/* An account that nobody has; HEAP_KERNEL when all are taken. */
unsigned heap_open_account(void);
/* What is still live on it; while that is something, nobody else gets this account. */
struct heap_account heap_close_account(unsigned number);
const struct heap_account *heap_account(unsigned number);

/* kmalloc with alignment, and krealloc, on an account. */
void *heap_alloc(size_t size, size_t align, unsigned account);
void *heap_realloc(void *memory, size_t size, unsigned account);
/* Why this pointer cannot be freed: it is not the start of a live block, or bytes around the block
 * were overwritten. NULL: it can. Reads no memory that is not the heap's. */
const char *heap_misuse(const void *memory);
/* What heap_misuse has found at this address is settled: a block that was overwritten stays out of
 * use, for ever. */
void heap_write_off(void *memory);
/* Panics when an invariant does not hold or a live small block was overrun. */
void heap_check(void);
#endif
