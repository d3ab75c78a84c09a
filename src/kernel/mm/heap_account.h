/* heap_account.h - between heap.c and heap_account.c. */
#ifndef KERNEL_MM_HEAP_ACCOUNT_H
#define KERNEL_MM_HEAP_ACCOUNT_H

#include "mm/heap.h"

void heap_charge(unsigned number, size_t size);
void heap_discharge(unsigned number, size_t size);

#endif
