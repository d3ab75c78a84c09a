/* panic.h - broken invariants stop the machine with a readable report. */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define KASSERT(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            panic("%s: assertion failed: %s", __func__, #condition);                               \
    } while (0)
#endif
