/* paging_layout.h - between paging.c (the tables) and paging_layout.c (what is where). */
#ifndef KERNEL_MM_PAGING_LAYOUT_H
#define KERNEL_MM_PAGING_LAYOUT_H

#include <stdint.h>

void paging_create(void);
void paging_set(uintptr_t start, uintptr_t pages, unsigned flags); /* PAGE_*; start page-aligned */
void paging_start(void);
void paging_check_tables(void);

#endif
