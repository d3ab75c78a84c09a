/* core_tables.h - the descriptors of one core: segments, and the stacks of its exceptions. */
#ifndef KERNEL_ARCH_X86_64_CORE_TABLES_H
#define KERNEL_ARCH_X86_64_CORE_TABLES_H

#include <stdint.h>

#include "arch/x86/core.h"

struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; /* ist[0] is IST1 */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map; /* beyond the limit: no I/O map */
};
_Static_assert(sizeof(struct tss) == 104, "Intel SDM figure 7-11");

struct core_tables {
    _Alignas(16) uint64_t gdt[7];
    struct tss tss; /* ist is the caller's to fill */
};

/* On the core itself: from now on core_current() is core. */
void core_tables_load(struct core_tables *tables, struct core *core);
/* Of the boot processor: where exceptions and interrupts of ring 3 find their stack. */
void core_tables_set_stack(uintptr_t stack);
#endif
