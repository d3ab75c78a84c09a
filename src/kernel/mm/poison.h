/* poison.h - tells AddressSanitizer, where the kernel is compiled with it (check=address), which
 * memory nobody may touch: red zones, free blocks, free pages. Elsewhere nothing. */
#ifndef KERNEL_MM_POISON_H
#define KERNEL_MM_POISON_H

#include <stddef.h>

#if defined(__has_feature) && __has_feature(address_sanitizer)
void __asan_poison_memory_region(void const volatile *start, size_t size);
void __asan_unpoison_memory_region(void const volatile *start, size_t size);

static inline void poison(const void *start, size_t size) {
    __asan_poison_memory_region(start, size);
}
static inline void unpoison(const void *start, size_t size) {
    __asan_unpoison_memory_region(start, size);
}
#define POISON_IGNORED __attribute__((no_sanitize("address")))
#else
static inline void poison(const void *start, size_t size) {
    (void)start;
    (void)size;
}
static inline void unpoison(const void *start, size_t size) {
    (void)start;
    (void)size;
}
#define POISON_IGNORED
#endif

#endif
