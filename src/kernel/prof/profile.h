/* profile.h - what calls of modules' functions took: one record per function, shape and state of
 * the module's sources. Records are never freed: what has run is not forgotten by an /unload. */
#ifndef KERNEL_PROF_PROFILE_H
#define KERNEL_PROF_PROFILE_H

#include <stdint.h>

#include "fluid/module.h"

/* Buckets of cycles: below 2^PROFILE_FINE one for each number, above PROFILE_PARTS for each power
 * of two, so that a bucket is 1/8 wide at most. */
#define PROFILE_FINE 3u
#define PROFILE_PARTS (1u << PROFILE_FINE)
#define PROFILE_POWERS 48u /* longer calls count as the longest: 2^48 cycles are a day */
#define PROFILE_BUCKETS ((PROFILE_POWERS - PROFILE_FINE + 1) * PROFILE_PARTS)

struct loaded_module;

struct profile {
    struct profile *next;
    char module[MOD_NAME_SIZE], target[MOD_TARGET_SIZE];
    uint8_t source[MOD_SOURCE_SIZE];
    char caller[MOD_NAME_SIZE]; /* module that calls; "kernel" */
    uint32_t rows, cols;        /* shape; 0 where there is none */
    uint64_t calls, cycles;     /* in all */
    uint64_t min, max;
    uint64_t bucket[PROFILE_BUCKETS];        /* calls */
    uint64_t bucket_cycles[PROFILE_BUCKETS]; /* of these in all */
    char function[];                         /* an entry point of the module */
};

/* Finds or makes the record; NULL without memory. The caller is the kernel until told. */
struct profile *profile_get(const struct loaded_module *module, const char *function, uint32_t rows,
                            uint32_t cols);
/* Once it has been called, the caller stays. */
void profile_set_caller(struct profile *profile, const char caller[MOD_NAME_SIZE]);
void profile_add(struct profile *profile, uint64_t cycles); /* one call; NULL: goes unrecorded */
/* call.c: a call through a slot, of which whoever measures it is told, too. */
struct fluid_slot;
void profile_call(struct fluid_slot *slot, uint64_t cycles);
/* The mean of the bucket that the median call is in: at most 1/8 off, exact where calls are alike.
 */
uint64_t profile_median(const struct profile *profile);
/* Newest first. */
void profile_for_each(void (*visit)(const struct profile *profile, void *context), void *context);
/* All counts are zero again. A call that is being measured counts, as a whole, when it ends. */
void profile_reset(void);

unsigned profile_bucket(uint64_t cycles);
uint64_t profile_bucket_start(unsigned bucket);
/* Cycles that recording one call takes, as measured now: the median of many. */
uint64_t profile_overhead(void);
#endif
