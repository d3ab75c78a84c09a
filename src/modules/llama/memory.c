/* memory.c - everything that an open model owns, released together. */
#include "memory.h"

#include "checked.h"

#define MEMORY_ALIGN 64
#define MEMORY_HUGE (2u << 20) /* fluid_alloc aligns requests from here on to 2 MiB */

uint64_t memory_cost(uint64_t size) {
    return checked_align(size, size >= MEMORY_HUGE ? MEMORY_HUGE : MEMORY_ALIGN);
}

void *memory_take(struct memory *memory, uint64_t count, uint64_t size, const char *what,
                  struct fluid_error *err) {
    uint64_t bytes = checked_mul(count, size);
    if (bytes == 0)
        bytes = 1;
    if (memory->count == MEMORY_BLOCKS)
        fluid_panic("llama: more than %d memory blocks", MEMORY_BLOCKS);
    void *block = bytes <= SIZE_MAX ? fluid_alloc((size_t)bytes, MEMORY_ALIGN) : NULL;
    if (block == NULL) {
        fluid_fail(err, "E-MEM-02",
                   "%s: %llu bytes expected, at most %zu free (give the machine more memory or use "
                   "a smaller model)",
                   what, (unsigned long long)bytes, fluid_memory_free());
        return NULL;
    }
    memory->block[memory->count] = block;
    memory->size[memory->count++] = bytes;
    memory->bytes += bytes;
    return block;
}

void memory_release(struct memory *memory, uint32_t keep) {
    while (memory->count > keep) {
        memory->count--;
        memory->bytes -= memory->size[memory->count];
        fluid_free(memory->block[memory->count]);
    }
}
