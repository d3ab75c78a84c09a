/* paging_activate.c (x86_64) - entry.S is in long mode already; only the tables change. */
#include "arch/x86/control.h"
#include "mm/page_tables.h"

void paging_activate(uint64_t *root) {
    write_cr3((uintptr_t)root);
}
