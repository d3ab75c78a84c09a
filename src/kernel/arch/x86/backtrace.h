/* backtrace.h - return addresses by following frame pointers (all code is built with them). */
#ifndef KERNEL_ARCH_X86_BACKTRACE_H
#define KERNEL_ARCH_X86_BACKTRACE_H

#include <stddef.h>
#include <stdint.h>

#define BACKTRACE_MAX 24

/* trace[0] = ip, then called_from unless it is 0, then the return addresses of the frames,
 * innermost first; returns how many. Stops at the first frame that is not mapped, misaligned or
 * below its predecessor: a damaged stack ends the trace, it does not fault. */
size_t backtrace(uintptr_t ip, uintptr_t called_from, uintptr_t frame_pointer,
                 uintptr_t trace[BACKTRACE_MAX]);
/* The caller's frame pointer, 0 when the frame cannot be read. */
uintptr_t backtrace_parent(uintptr_t frame_pointer);

#endif
