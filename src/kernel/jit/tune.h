/* tune.h - what can be chosen about a slot without a compiler, tried out one after the other once
 * its code is decided on: each is measured against what the slot has, like code (measure.h). */
#ifndef KERNEL_JIT_TUNE_H
#define KERNEL_JIT_TUNE_H

#include <stdbool.h>

#include "jit/measure.h"

#define TUNE_TEXT_SIZE 24u

struct tier;

/* The candidate number `step`, beginning with 0, for the slot, and its name: "ahead=8192". What the
 * slot has already is passed over. False: there are no more. */
bool tune_candidate(const struct fluid_slot *slot, unsigned *step, struct way *way,
                    char text[TUNE_TEXT_SIZE]);
/* Writes what has been found for the slot into the cache; and takes what is there. False: nothing
 * was. */
void tune_keep(const struct fluid_slot *slot, uint64_t benefit);
bool tune_recall(struct fluid_slot *slot);
#endif
