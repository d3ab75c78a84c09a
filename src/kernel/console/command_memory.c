/* command_memory.c - /mem: what every page of the memory is used for. The lines add up to the
 * total. */
#include "console/command.h"

#include "console/model.h"
#include "dev/numa.h"
#include "lib/printf.h"
#include "load/module.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "mm/pool.h"

#define KIB 1024u
#define KIB_PER_MIB 1024u

static void print_kib(const char *what, uint64_t kib) {
    uint64_t tenths = (kib * 10 + KIB_PER_MIB / 2) / KIB_PER_MIB;

    kprintf("  %-26s %10llu KiB %8llu.%llu MiB\n", what, (unsigned long long)kib,
            (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10));
}

static uint64_t kib_of(enum page_use use) {
    return (uint64_t)pages_used_for(use) * (PAGE_SIZE / KIB);
}

/* The engine's buffers are in the heap, as all memory that modules ask for. */
static void print_heap(void) {
    const struct model *model = model_current();
    uint64_t rest = kib_of(PAGES_SLABS) + kib_of(PAGES_HEAP);

    if (model) {
        uint64_t kv = (model->info.kv_bytes + KIB - 1) / KIB;
        uint64_t buffers = (model->info.scratch_bytes + KIB - 1) / KIB;

        kv = kv < rest ? kv : rest;
        print_kib("KV cache", kv);
        rest -= kv;
        buffers = buffers < rest ? buffers : rest;
        print_kib("activations and tables", buffers);
        rest -= buffers;
    }
    print_kib("heap, the rest", rest);
}

static void print_pool(enum pool_kind kind) {
    struct pool_stats s = pool_stats(kind);

    kprintf(
        "pool %s: %zu of %zu KiB in use, at most %zu; %zu blocks, %zu free extents up to %zu KiB\n",
        pool_name(kind), s.used / KIB, s.reserved / KIB, s.peak / KIB, s.blocks, s.free_extents,
        s.largest_free / KIB);
}

static void print_mappings(void) {
    size_t counts[PAGING_SIZES];

    paging_count(counts);
    kprintf("mapped: %zu pages of 4 KiB, %zu of 2 MiB, %zu of 1 GiB\n", counts[0], counts[1],
            counts[2]);
}

/* What a module occupies, and what it has of the heap. */
static void print_account(const struct loaded_module *module, void *context) {
    const struct heap_account *a = heap_account(module_account(module));

    (void)context;
    kprintf("  %-20s %6zu KiB, heap: %zu bytes in %zu blocks, at most %zu\n", module_name(module),
            module_memory(module) / KIB, a->live, a->blocks, a->peak);
}

void command_mem(char *argument, size_t length) {
    (void)argument;
    (void)length;
    for (unsigned use = PAGES_FREE + 1; use < PAGES_USES; use++)
        if (use == PAGES_HEAP)
            print_heap();
        else if (use != PAGES_SLABS)
            print_kib(pages_use_name(use), kib_of(use));
    print_kib(pages_use_name(PAGES_FREE), kib_of(PAGES_FREE));
    print_kib("total", (uint64_t)pages_total() * (PAGE_SIZE / KIB));
    kprintf("heap: %zu bytes in use, %zu blocks taken since boot\n", heap_used(), heap_taken());
    numa_print();
    print_mappings();
    for (unsigned kind = 0; kind < POOL_KINDS; kind++)
        print_pool(kind);
    module_for_each(print_account, NULL);
}
