/* format.h - llvm-libc's formatter under names that no C library has: fluid-host has one besides.
 */
#ifndef LLVMLIBC_SUBSET_PRINTF_FORMAT_H
#define LLVMLIBC_SUBSET_PRINTF_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As vsnprintf. */
int format_to(char *to, size_t size, const char *format, va_list args);

typedef int format_write(const char *text, size_t length, void *context);

/* Text of any length, given to write in pieces through a small buffer. Returns its length, or what
 * write returned when that was negative. */
int format_through(char *buffer, size_t size, format_write *write, void *context,
                   const char *format, va_list args);

#ifdef __cplusplus
}
#endif
#endif
