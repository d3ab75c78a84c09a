/* string.h - memory and strings (docs/libc.md). */
#ifndef LLVMLIBC_SUBSET_STRING_H
#define LLVMLIBC_SUBSET_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memchr(const void *memory, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memcpy(void *__restrict to, const void *__restrict from, size_t n);
void *memmem(const void *memory, size_t n, const void *wanted, size_t wanted_n);
void *memmove(void *to, const void *from, size_t n);
void *memrchr(const void *memory, int byte, size_t n);
void *memset(void *to, int byte, size_t n);
char *strchr(const char *text, int c);
int strcmp(const char *a, const char *b);
size_t strcspn(const char *text, const char *unwanted);
size_t strlen(const char *text);
int strncmp(const char *a, const char *b, size_t n);
size_t strnlen(const char *text, size_t n);
char *strpbrk(const char *text, const char *wanted);
char *strrchr(const char *text, int c);
size_t strspn(const char *text, const char *wanted);
char *strstr(const char *text, const char *wanted);

#ifdef __cplusplus
}
#endif
#endif
