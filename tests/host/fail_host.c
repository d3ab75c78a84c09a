/* fail_host.c - fluid_fail (fluid/kapi.h) for programs that test a few of the kernel's files, and
 * the allocation that fails. */
#include "fail_host.h"

#include <stdarg.h>
#include <stdio.h>

#include "fluid/kapi.h"

int fluid_fail(struct fluid_error *err, const char *code, const char *format, ...) {
    va_list args;
    if (err == NULL)
        return -1;
    snprintf(err->code, sizeof err->code, "%s", code);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

static long fails = -1, count;

void host_fail_allocation(long number) {
    fails = number;
    count = 0;
}

bool host_allocation_fails(void) {
    return count++ == fails;
}

bool host_allocation_failed(void) {
    return fails >= 0 && count > fails;
}
