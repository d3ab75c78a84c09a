/* swap.c - a module that is replaced by another one of its name; it notes how it comes and goes. */
#include "fluid/module.h"

void host_note(const char *what, int version);
int swap_value(void);
int swap_more(void);

__attribute__((constructor(101))) static void first_in(void) {
    host_note("first in", VERSION);
}

__attribute__((constructor(102))) static void second_in(void) {
    host_note("second in", VERSION);
}

__attribute__((destructor(101))) static void last_out(void) {
    host_note("last out", VERSION);
}

__attribute__((destructor(102))) static void first_out(void) {
    host_note("first out", VERSION);
}

FLUID_EXPORT int swap_value(void) {
    return VERSION;
}

#if VERSION == 1
FLUID_EXPORT int swap_more(void) {
    return 10;
}
#endif
