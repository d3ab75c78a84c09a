/* flush.c - what the processor remembers of a program's page tables, which may be the ones in use.
 * Only the processor that runs tasks ever uses them. */
#include "abi/linux/tables.h"
#include "arch/x86/control.h"

#define FLUSH_MAX_PAGES 32u

void space_flush(uint64_t start, uint64_t end) {
    if ((end - start) / PAGE_SIZE > FLUSH_MAX_PAGES) {
        write_cr3(read_cr3());
        return;
    }
    for (uint64_t at = start; at < end; at += PAGE_SIZE)
        __asm__ volatile("invlpg (%0)" : : "r"(at) : "memory");
}
