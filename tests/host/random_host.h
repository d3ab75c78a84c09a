/* random_host.h - equal numbers for equal seeds, and what must hold whatever they are. */
#ifndef RANDOM_HOST_H
#define RANDOM_HOST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state; /* the seed, not 0 */

static inline uint64_t random_next(void) { /* xorshift64 (Marsaglia 2003) */
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline void require(int holds, const char *what) {
    if (holds)
        return;
    printf("broken: %s\n", what);
    abort();
}
#endif
