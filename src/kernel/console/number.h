/* number.h - numbers from the console, checked. */
#ifndef KERNEL_CONSOLE_NUMBER_H
#define KERNEL_CONSOLE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits only, 0..max; false when anything else. */
bool number_u64(const char *text, size_t length, uint64_t max, uint64_t *value);
/* "0.7" -> 700000: at most 6 digits behind the point; 0..max_micro. */
bool number_micro(const char *text, size_t length, int64_t max_micro, int64_t *micro);
#endif
