/* kapi_host.c - the kernel API (fluid/kapi.h) in a Linux process: memory from malloc under a limit,
 * slots from the tensor operations that are linked in. */
#include "kapi_host.h"

#include "fail_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fluid/tensor.h"
#include "tensor_types.h"

#define MAX_BLOCKS 4096
#define MAX_SLOTS 4096

size_t kapi_memory = (size_t)2 << 30;
long kapi_polls_to_stop = -1;
uint32_t kapi_cores = 3;

/* Larger blocks are pages of their own with an inaccessible one behind: they are zero without being
 * written to, which a fuzzer that opens models without end is glad of. */
#define LARGE_BLOCK (256u << 10)
#define HOST_PAGE 4096u

static struct {
    void *at, *pages; /* pages: NULL when from malloc */
    size_t size, mapped;
} blocks[MAX_BLOCKS];
static size_t used;

static size_t round_up(size_t size, size_t to) {
    return (size + to - 1) & ~(to - 1);
}

/* Ends as close to the guard page as its alignment allows. */
static void *map_block(size_t slot, size_t size, size_t align) {
    size_t room = round_up(size, align), mapped = round_up(room, HOST_PAGE) + HOST_PAGE;
    char *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + mapped - HOST_PAGE, HOST_PAGE, PROT_NONE) != 0)
        return NULL;
    blocks[slot].pages = pages;
    blocks[slot].mapped = mapped;
    return pages + mapped - HOST_PAGE - room;
}

/* Exactly as long as asked for, so that AddressSanitizer sees the first byte too many. */
static void *malloc_block(size_t slot, size_t size, size_t align) {
    void *block = NULL;
    if (posix_memalign(&block, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
        return NULL;
    memset(block, 0, size);
    blocks[slot].pages = NULL;
    return block;
}

void *fluid_alloc(size_t size, size_t align) {
    size_t slot = 0;
    while (slot < MAX_BLOCKS && blocks[slot].at != NULL)
        slot++;
    if (slot == MAX_BLOCKS || size > fluid_memory_free() || host_allocation_fails())
        return NULL;
    void *block = size >= LARGE_BLOCK ? map_block(slot, size, align == 0 ? 1 : align)
                                      : malloc_block(slot, size, align);
    if (block == NULL)
        return NULL;
    blocks[slot].at = block;
    blocks[slot].size = size;
    used += size;
    return block;
}

void fluid_free(void *memory) {
    for (size_t slot = 0; slot < MAX_BLOCKS; slot++) {
        if (memory == NULL || blocks[slot].at != memory)
            continue;
        used -= blocks[slot].size;
        blocks[slot].at = NULL;
        if (blocks[slot].pages == NULL)
            free(memory);
        else if (munmap(blocks[slot].pages, blocks[slot].mapped) != 0)
            fluid_panic("munmap");
        return;
    }
    fluid_panic("free of %s", memory == NULL ? "NULL" : "unknown memory");
}

size_t fluid_memory_free(void) {
    return kapi_memory - used;
}

size_t kapi_memory_used(void) {
    return used;
}

bool fluid_poll(void) {
    return kapi_polls_to_stop >= 0 && kapi_polls_to_stop-- == 0;
}

uint32_t fluid_core_count(void) {
    return kapi_cores;
}

/* Backwards and on several cores in turn: neither may matter. */
void fluid_parallel_for(uint32_t count, fluid_parallel_fn *function, void *context) {
    while (count-- > 0)
        function(context, count, count % kapi_cores);
}

_Noreturn void fluid_panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

/* Weak: a program may link some of the tensor modules only. */
#define OPERATIONS(X)                                                                              \
    X(quantize, quantize_q8)                                                                       \
    X(quantize, quantize_q8_k)                                                                     \
    X(rmsnorm, rmsnorm)                                                                            \
    X(rope, rope) X(store_kv, store_kv) X(attention, attention) X(swiglu, swiglu) X(add, add)
#define DECLARE(type, name) extern type##_fn name __attribute__((weak));
OPERATIONS(DECLARE)

#define DECLARE_TYPE(type)                                                                         \
    DECLARE(matmul, matmul_##type)                                                                 \
    DECLARE(row, row_##type)
TENSOR_TYPES(DECLARE_TYPE)
#define DECLARE_PACK(type) DECLARE(pack, pack_##type)
TENSOR_PACKED_TYPES(DECLARE_PACK)

static void *find_code(const char *name) {
#define COMPARE(type, operation)                                                                   \
    if (strcmp(name, #operation) == 0)                                                             \
        return (void *)operation;
#define COMPARE_TYPE(type)                                                                         \
    COMPARE(matmul, matmul_##type)                                                                 \
    COMPARE(row, row_##type)
    OPERATIONS(COMPARE)
    TENSOR_TYPES(COMPARE_TYPE)
#define COMPARE_PACK(type) COMPARE(pack, pack_##type)
    TENSOR_PACKED_TYPES(COMPARE_PACK)
    return NULL;
}

uint64_t fluid_call_begin(void) {
    return 0;
}

void fluid_call_end(struct fluid_slot *slot, uint64_t begin) {
    (void)slot;
    (void)begin;
}

struct fluid_slot *fluid_slot_get(const char *name, uint32_t rows, uint32_t cols) {
    static struct fluid_slot slots[MAX_SLOTS];
    static size_t count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(slots[i].name, name) == 0 && slots[i].rows == rows && slots[i].cols == cols)
            return &slots[i];
    void *code = find_code(name);
    if (code == NULL || count == MAX_SLOTS)
        return NULL;
    struct fluid_slot *slot = &slots[count++];
    *slot = (struct fluid_slot){.code = code, .rows = rows, .cols = cols, .name = strdup(name)};
    return slot;
}
