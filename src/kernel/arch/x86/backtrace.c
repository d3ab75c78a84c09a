/* backtrace.c - a frame is two words at the frame pointer: the caller's frame pointer and the
 * return address. */
#include "arch/x86/backtrace.h"

#include <stdbool.h>

#include "mm/paging.h"

static bool readable(uintptr_t frame) {
    uintptr_t last = frame + 2 * sizeof(uintptr_t) - 1;
    return frame % sizeof(uintptr_t) == 0 && last > frame &&
           !(paging_query((const void *)frame) & (PAGE_NONE | PAGE_UNCACHED)) &&
           !(paging_query((const void *)last) & (PAGE_NONE | PAGE_UNCACHED));
}

uintptr_t backtrace_parent(uintptr_t frame) {
    if (!readable(frame))
        return 0;
    uintptr_t parent = ((const uintptr_t *)frame)[0];
    return parent > frame ? parent : 0;
}

size_t backtrace(uintptr_t ip, uintptr_t called_from, uintptr_t frame,
                 uintptr_t trace[BACKTRACE_MAX]) {
    size_t n = 0;
    trace[n++] = ip;
    if (called_from != 0)
        trace[n++] = called_from;
    while (n < BACKTRACE_MAX && frame != 0 && readable(frame)) {
        uintptr_t return_address = ((const uintptr_t *)frame)[1];
        if (return_address == 0)
            break;
        trace[n++] = return_address;
        frame = backtrace_parent(frame);
    }
    return n;
}
