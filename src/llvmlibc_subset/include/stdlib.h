/* stdlib.h - memory, numbers, sorting (docs/libc.md). */
#ifndef LLVMLIBC_SUBSET_STDLIB_H
#define LLVMLIBC_SUBSET_STDLIB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int (*__qsortcompare_t)(const void *, const void *);
typedef int (*__qsortrcompare_t)(const void *, const void *, void *);
typedef int (*__bsearchcompare_t)(const void *, const void *);

/* Of the kernel's heap; 16-byte aligned. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
_Noreturn void abort(void); /* panics */

int abs(int value);
long labs(long value);
long long llabs(long long value);
long strtol(const char *__restrict text, char **__restrict end, int base);
long long strtoll(const char *__restrict text, char **__restrict end, int base);
unsigned long strtoul(const char *__restrict text, char **__restrict end, int base);
unsigned long long strtoull(const char *__restrict text, char **__restrict end, int base);
double strtod(const char *__restrict text, char **__restrict end);
float strtof(const char *__restrict text, char **__restrict end);

void qsort(void *array, size_t count, size_t size, __qsortcompare_t compare);
void *bsearch(const void *key, const void *array, size_t count, size_t size,
              __bsearchcompare_t compare);

#ifdef __cplusplus
}
#endif
#endif
