/* heap.h - kmalloc: memory of any size on top of the page allocator, 16-byte aligned. */
#ifndef KERNEL_MM_HEAP_H
#define KERNEL_MM_HEAP_H

#include <stddef.h>

void *kmalloc(size_t size); /* NULL when out of memory */
void *kzalloc(size_t size);
void *kzalloc_aligned(size_t size, size_t align); /* align: power of two <= 2 MiB */
void *kcalloc(size_t count, size_t size);
void *krealloc(void *memory, size_t size); /* NULL: none, and memory is as it was */
void kfree(void *memory); /* NULL allowed; panics on double free and overwritten headers */
size_t heap_used(void);   /* bytes handed out and not freed */
#endif
