/* numa.c - what the SRAT says, told to the page allocator. */
#include "dev/numa.h"

#include "console/event.h"
#include "dev/acpi_memory.h"
#include "dev/srat.h"
#include "fluid/cpuid.h"
#include "lib/printf.h"
#include "mm/pages.h"

#define LEAF_TOPOLOGY 0xbu
#define MIB_SHIFT 20

static struct srat srat;

/* Intel SDM vol. 2A, CPUID: leaf 0BH has all 32 bits of it, leaf 1 the lowest eight. */
static uint32_t apic_id(void) {
    struct cpuid topology = cpuid(LEAF_TOPOLOGY, 0);
    return topology.ebx != 0 ? topology.edx : cpuid(1, 0).ebx >> 24;
}

void numa_init(void) {
    struct acpi_table table;
    struct fluid_error err;
    if (acpi_table("SRAT", &table) != 0)
        return;
    if (srat_parse(&srat, &table, apic_id(), &err) != 0) {
        report_warn(&err);
        srat = (struct srat){0};
    }
    for (unsigned i = 0; srat.has_node && i < srat.memory_count; i++)
        if (srat.memory[i].node == srat.node)
            pages_prefer(srat.memory[i].base, srat.memory[i].length);
}

void numa_print(void) {
    for (unsigned i = 0; srat.has_node && i < srat.memory_count; i++) {
        const struct srat_memory *m = &srat.memory[i];
        uint64_t free = (uint64_t)pages_available_in(m->base, m->length) * PAGE_SIZE;
        kprintf("node %u%s: %llu MiB at 0x%llx, %llu MiB free\n", m->node,
                m->node == srat.node ? " (near)" : "", (unsigned long long)(m->length >> MIB_SHIFT),
                (unsigned long long)m->base, (unsigned long long)(free >> MIB_SHIFT));
    }
}
