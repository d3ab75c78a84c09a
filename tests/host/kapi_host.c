/* kapi_host.c - the kernel API (fluid/kapi.h) in a Linux process: memory from malloc under a limit,
 * slots from the tensor operations that are linked in. */
#include "kapi_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fluid/tensor.h"

#define MAX_BLOCKS 4096
#define MAX_SLOTS 4096

size_t kapi_memory = (size_t)2 << 30;
long kapi_polls_to_stop = -1;

static struct {
    void *at;
    size_t size;
} blocks[MAX_BLOCKS];
static size_t used;

int fluid_fail(struct fluid_error *err, const char *code, const char *format, ...) {
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    snprintf(err->code, sizeof err->code, "%s", code);
    return -1;
}

/* Blocks are exactly as long as asked for, so that AddressSanitizer sees the first byte too many.
 */
void *fluid_alloc(size_t size, size_t align) {
    void *block = NULL;
    size_t slot = 0;
    while (slot < MAX_BLOCKS && blocks[slot].at != NULL)
        slot++;
    if (slot == MAX_BLOCKS || size > fluid_memory_free() ||
        posix_memalign(&block, align < sizeof(void *) ? sizeof(void *) : align, size) != 0)
        return NULL;
    memset(block, 0, size);
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
        free(memory);
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
    X(matmul, matmul_f32)                                                                          \
    X(matmul, matmul_f16)                                                                          \
    X(matmul, matmul_q8_0)                                                                         \
    X(matmul, matmul_q4_0)                                                                         \
    X(matmul, matmul_q4_1)                                                                         \
    X(row, row_f32)                                                                                \
    X(row, row_f16)                                                                                \
    X(row, row_q8_0)                                                                               \
    X(row, row_q4_0)                                                                               \
    X(row, row_q4_1)                                                                               \
    X(quantize_q16, quantize_q16)                                                                  \
    X(rmsnorm, rmsnorm) X(rope, rope) X(attention, attention) X(swiglu, swiglu) X(add, add)
#define DECLARE(type, name) extern type##_fn name __attribute__((weak));
OPERATIONS(DECLARE)

static void *find_code(const char *name) {
#define COMPARE(type, operation)                                                                   \
    if (strcmp(name, #operation) == 0)                                                             \
        return (void *)operation;
    OPERATIONS(COMPARE)
    return NULL;
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
