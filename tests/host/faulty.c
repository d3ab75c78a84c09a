/* faulty.c - a module whose initialiser does what a sanitizer must find; FAULT chooses what. */
#include <limits.h>

#include "fluid/kapi.h"
#include "fluid/module.h"

static int table[4] = {1, 2, 3, 4};
static volatile int index = 4;

FLUID_EXPORT int faulty(void) {
    return table[index & 3];
}

#if FAULT == 1 /* one byte behind the memory that was asked for */
__attribute__((constructor)) static void overflow(void) {
    volatile char *memory = fluid_alloc(100, 1);
    memory[100] = 1;
}
#elif FAULT == 2
__attribute__((constructor)) static void use_after_free(void) {
    volatile char *memory = fluid_alloc(3 << 20, 1);
    fluid_free((void *)memory);
    memory[1 << 20] = 1;
}
#elif FAULT == 3
__attribute__((constructor)) static void global_overflow(void) {
    volatile int *at = table;
    index = at[index];
}
#elif FAULT == 4
__attribute__((constructor)) static void stack_overflow(void) {
    volatile char local[16];
    volatile char *at = local;
    at[index * 4] = 1;
}
#elif FAULT == 5
__attribute__((constructor)) static void signed_overflow(void) {
    index = INT_MAX;
    index = index + 1;
}
#endif
