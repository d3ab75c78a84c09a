/* printf.h - formatted text for people, with llvm-libc's formatter: everything of C17's printf but
 * floating point, %n and positions (%1$d). */
#ifndef KERNEL_LIB_PRINTF_H
#define KERNEL_LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size bytes including the NUL; returns the length the full text has. */
int kvsnprintf(char *to, size_t size, const char *format, va_list args);
int ksnprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prints to every console (serial and VGA); see console/console.h. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list args);
#endif
