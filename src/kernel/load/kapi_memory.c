/* kapi_memory.c - the heap for modules. What a module gets is on its account, and a pointer that it
 * gives back is looked at before anything is done with it: a wrong one costs the call, not the
 * machine. */
#include "fluid/kapi.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/kapi.h"
#include "load/module.h"
#include "mm/heap.h"
#include "mm/pages.h"

#define ALIGN_DEFAULT 16u

/* The return address tells which module asks. */
#define CALLER ((uintptr_t)__builtin_return_address(0))

static void *give(size_t size, size_t align, uintptr_t caller) {
    module_guard_enter_kernel();
    void *memory = heap_alloc(size, align, module_account_at(caller));
    module_guard_leave_kernel();
    return memory;
}

static void *give_zeroed(size_t size, size_t align, uintptr_t caller) {
    void *memory = give(size, align, caller);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

static void require_sound(const char *function, void *memory, uintptr_t caller) {
    module_guard_enter_kernel();
    const char *wrong = heap_misuse(memory);
    if (wrong != NULL)
        heap_write_off(memory);
    module_guard_leave_kernel();
    if (wrong != NULL)
        module_misuse(caller, "%s(%p): %s", function, memory, wrong);
}

static void take(const char *function, void *memory, uintptr_t caller) {
    if (memory == NULL)
        return;
    require_sound(function, memory, caller);
    module_guard_enter_kernel();
    kfree(memory);
    module_guard_leave_kernel();
}

void *fluid_alloc(size_t size, size_t align) {
    if (align > LARGE_PAGE_SIZE || (align & (align - 1)) != 0)
        module_misuse(CALLER, "fluid_alloc: alignment %zu", align);
    if (size >= LARGE_PAGE_SIZE)
        align = LARGE_PAGE_SIZE;
    return give_zeroed(size, align > ALIGN_DEFAULT ? align : ALIGN_DEFAULT, CALLER);
}

void fluid_free(void *memory) {
    take("fluid_free", memory, CALLER);
}

size_t fluid_memory_free(void) {
    uint64_t bytes = (uint64_t)pages_available() * PAGE_SIZE;
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

void *module_malloc(size_t size) {
    return give(size, ALIGN_DEFAULT, CALLER);
}

void *module_calloc(size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL
                                                       : give_zeroed(bytes, ALIGN_DEFAULT, CALLER);
}

void *module_realloc(void *memory, size_t size) {
    uintptr_t caller = CALLER;
    if (memory != NULL)
        require_sound("realloc", memory, caller);
    module_guard_enter_kernel();
    void *fresh = heap_realloc(memory, size, module_account_at(caller));
    module_guard_leave_kernel();
    return fresh;
}

void module_free(void *memory) {
    take("free", memory, CALLER);
}
