/* checked.h - the one place where sizes that come from a file are added and multiplied.
 *
 * Results saturate at CHECKED_OVERFLOW, and every test against a limit refuses that value: a chain
 * of sums and products needs one check, at its end. */
#ifndef LLAMA_CHECKED_H
#define LLAMA_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#define CHECKED_OVERFLOW UINT64_MAX

static inline uint64_t checked_add(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? CHECKED_OVERFLOW : sum;
}

static inline uint64_t checked_mul(uint64_t a, uint64_t b) {
    uint64_t product;
    if (a == CHECKED_OVERFLOW || b == CHECKED_OVERFLOW)
        return CHECKED_OVERFLOW;
    return __builtin_mul_overflow(a, b, &product) ? CHECKED_OVERFLOW : product;
}

/* value rounded up to a multiple of align, a power of two. */
static inline uint64_t checked_align(uint64_t value, uint64_t align) {
    uint64_t sum = checked_add(value, align - 1);
    return sum == CHECKED_OVERFLOW ? CHECKED_OVERFLOW : sum & ~(align - 1);
}

/* Do length bytes from offset on lie within size bytes? */
static inline bool checked_range(uint64_t offset, uint64_t length, uint64_t size) {
    return offset != CHECKED_OVERFLOW && length != CHECKED_OVERFLOW && offset <= size &&
           length <= size - offset;
}

#endif
