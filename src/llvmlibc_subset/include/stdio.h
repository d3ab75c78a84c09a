/* stdio.h - formatted text: no files, no floating point (docs/libc.md). */
#ifndef LLVMLIBC_SUBSET_STDIO_H
#define LLVMLIBC_SUBSET_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct FILE FILE; /* llvm-libc's sources name it */

int snprintf(char *__restrict to, size_t size, const char *__restrict format, ...)
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *__restrict to, size_t size, const char *__restrict format, va_list args);

#ifdef __cplusplus
}
#endif
#endif
