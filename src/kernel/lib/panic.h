/* panic.h - broken invariants stop the machine with a readable report. */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

#include <stdarg.h>

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void vpanic(const char *format, va_list args);

#define KASSERT(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            panic("%s: assertion failed: %s", __func__, #condition);                               \
    } while (0)
#endif
