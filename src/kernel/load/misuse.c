/* misuse.c - a module asks the kernel for what cannot be. Nothing is done, and the call of the
 * module ends, as if it had faulted there (trap_recover.c). */
#include <stdarg.h>

#include "console/console.h"
#include "lib/panic.h"
#include "lib/panic_report.h"
#include "lib/printf.h"
#include "load/guard.h"
#include "load/ksyms.h"

_Noreturn void module_misuse(uintptr_t caller, const char *format, ...) {
    struct module_guard *guard = module_guard_innermost();
    uintptr_t trace[BACKTRACE_MAX];
    char symbol[64], text[MISUSE_SIZE - sizeof(symbol)];
    va_list args;
    va_start(args, format);
    kvsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ksyms_format_caller(caller, symbol, sizeof(symbol));
    if (guard == NULL)
        panic("%s at %s", text, symbol);
    ksnprintf(guard->misuse, sizeof(guard->misuse), "%s at %s", text, symbol);
    console_style(VGA_ERROR);
    kprintf("\nmodule fault: %s\n", guard->misuse);
    size_t count = backtrace(0, 0, (uintptr_t)__builtin_frame_address(0), trace), from = 0;
    while (from < count && trace[from] != caller)
        from++; /* the kernel's own frames */
    panic_print_trace(trace + from, count - from, false);
    console_style(VGA_TEXT);
    module_guard_leave(guard);
}
