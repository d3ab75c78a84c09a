/* memory_env.h - RAM for the kernel's allocators in a Linux process, and random numbers. */
#ifndef MEMORY_ENV_H
#define MEMORY_ENV_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_BASE 0x20000000u /* below AddressSanitizer's shadow and PAGES_EARLY_LIMIT */

/* Two ranges of RAM from MEMORY_BASE on with a hole between them, given to pages_init. */
void memory_start(void);
/* The next number of a sequence that seed and nothing else decides (xorshift64*). */
uint64_t memory_random(uint64_t *seed);
void memory_expect(bool condition, const char *what);

#endif
