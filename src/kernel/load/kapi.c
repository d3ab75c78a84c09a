/* kapi.c - the kernel API: the functions of fluid/kapi.h, and their names for linking. */
#include "load/kapi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/console.h"
#include "fluid/coverage.h"
#include "fluid/kapi.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "load/guard.h"
#include "prof/sample.h"
#include "task/task.h"

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

bool fluid_poll(void) {
    module_guard_enter_kernel();
    if (sample_fold_is_due())
        sample_fold();
    bool stop = task_is_console() ? console_poll() : task_current()->stop;
    module_guard_leave_kernel();
    task_preemption_point();
    return stop;
}

void fluid_panic(const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    kvsnprintf(text, sizeof text, format, args);
    va_end(args);
    panic("%s", text);
}

/* C17 7.22.4.1, as far as there is a process to end. */
static _Noreturn void module_abort(void) {
    panic("a module called abort");
}

int *__llvm_libc_errno(void); /* of errno.h; fluid-host has the process's */

#define ENTRY(function) {#function, (void *)function}

static const struct {
    const char *name;
    void *address;
} table[] = {
    ENTRY(fluid_fail),
    ENTRY(fluid_alloc),
    ENTRY(fluid_free),
    ENTRY(fluid_memory_free),
    ENTRY(fluid_poll),
    ENTRY(fluid_parallel_for),
    ENTRY(fluid_core_count),
    ENTRY(fluid_panic),
    ENTRY(fluid_slot_get),
    ENTRY(fluid_coverage_add),
    ENTRY(fluid_call_begin),
    ENTRY(fluid_call_end),
    /* The C library, for modules that do not bring these: src/llvmlibc_subset/include. */
    ENTRY(abs),
    ENTRY(bsearch),
    ENTRY(labs),
    ENTRY(llabs),
    ENTRY(memchr),
    ENTRY(memcmp),
    ENTRY(memcpy),
    ENTRY(memmem),
    ENTRY(memmove),
    ENTRY(memrchr),
    ENTRY(memset),
    ENTRY(qsort),
    ENTRY(snprintf),
    ENTRY(strchr),
    ENTRY(strcmp),
    ENTRY(strcspn),
    ENTRY(strlen),
    ENTRY(strncmp),
    ENTRY(strnlen),
    ENTRY(strpbrk),
    ENTRY(strrchr),
    ENTRY(strspn),
    ENTRY(strstr),
    ENTRY(strtol),
    ENTRY(strtoll),
    ENTRY(strtoul),
    ENTRY(strtoull),
    ENTRY(vsnprintf),
    ENTRY(__llvm_libc_errno),
    {"abort", (void *)module_abort},
    {"malloc", (void *)module_malloc},
    {"calloc", (void *)module_calloc},
    {"realloc", (void *)module_realloc},
    {"free", (void *)module_free},
};

void *kapi_resolve(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].address;
    return NULL;
}
