/* kapi.c - the kernel API: the functions of fluid/kapi.h, and their names for linking. */
#include "load/kapi.h"
#include "console/console.h"
#include "fluid/kapi.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pages.h"

#define ALIGN_DEFAULT 16u

int fluid_fail(struct fluid_error *err, const char *code, const char *format, ...) {
    if (!err)
        return -1;
    ksnprintf(err->code, sizeof err->code, "%s", code);
    va_list args;
    va_start(args, format);
    kvsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

void *fluid_alloc(size_t size, size_t align) {
    if (size >= LARGE_PAGE_SIZE)
        align = LARGE_PAGE_SIZE;
    return kzalloc_aligned(size, align > ALIGN_DEFAULT ? align : ALIGN_DEFAULT);
}

void fluid_free(void *memory) {
    kfree(memory);
}

size_t fluid_memory_free(void) {
    uint64_t bytes = (uint64_t)pages_available() * PAGE_SIZE;
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

bool fluid_poll(void) {
    return console_poll();
}

void fluid_panic(const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    kvsnprintf(text, sizeof text, format, args);
    va_end(args);
    panic("%s", text);
}

#define ENTRY(function) {#function, (void *)function}

static const struct {
    const char *name;
    void *address;
} table[] = {
    ENTRY(fluid_fail), ENTRY(fluid_alloc), ENTRY(fluid_free),     ENTRY(fluid_memory_free),
    ENTRY(fluid_poll), ENTRY(fluid_panic), ENTRY(fluid_slot_get), ENTRY(memcpy),
    ENTRY(memmove),    ENTRY(memset),      ENTRY(memcmp),         ENTRY(strlen),
};

void *kapi_resolve(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].address;
    return NULL;
}
