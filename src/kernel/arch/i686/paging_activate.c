/* paging_activate.c (i686) - switches PAE paging on; the double-fault task gets the same tables. */
#include "arch/i686/fault_task.h"
#include "arch/x86/control.h"
#include "mm/page_tables.h"

void paging_activate(uint64_t *root) {
    write_cr3((uintptr_t)root);
    write_cr4(read_cr4() | CR4_PAE);
    write_cr0(read_cr0() | CR0_PG);
    fault_task_set_cr3((uintptr_t)root);
}
