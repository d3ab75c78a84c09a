/* measure.h - which of two ways to do an operation is faster where it counts: they take turns in a
 * slot while the model runs, and the cycles of whole calls on all cores are compared. Both must do
 * the same.
 *
 * Turns are blocks of calls, in the order A B B A, so that what changes slowly (a growing context,
 * a warming processor) counts for both. A block counts with its lower quartile: calls for several
 * tokens among those for one, or in which the processor was away, do not decide. Blocks are
 * compared by pairs, so that the end of a prompt spoils one of them. */
#ifndef KERNEL_JIT_MEASURE_H
#define KERNEL_JIT_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "fluid/kapi.h"

#define MEASURE_PAIRS 12u  /* of blocks */
#define MEASURE_WINS 10u   /* of these, in which it has to be faster: by chance in 2 % of cases */
#define MEASURE_SPOILED 2u /* pairs that something else has changed: that is no answer */
#define MEASURE_BLOCK 8u   /* calls */
#define MEASURE_SKIPPED 2u /* of these, that may be of a loop that began before the block */
#define MEASURE_BLOCK_LONG 5u     /* the same, where calls are long */
#define MEASURE_LONG 5000000u     /* cycles: from there on they are */
#define MEASURE_MARGIN_PERCENT 2u /* less is no reason to change anything */
/* The same of calls alone and with all data near, as those of the model are not. */
#define MEASURE_SEVERAL_PERCENT 5u

/* What a slot has that can be chosen. */
struct way {
    void *code;
    uint32_t ahead, piece_work; /* as in struct fluid_slot */
};

struct measure {
    struct measure *next; /* of all that are going on */
    struct fluid_slot *slot;
    struct way way[2];    /* incumbent, candidate */
    uint32_t block_calls; /* in a block */
    uint32_t block, call;
    uint64_t cycles[MEASURE_BLOCK - MEASURE_SKIPPED];
    uint64_t low[2][MEASURE_PAIRS]; /* lower quartiles of blocks */
    bool done;
};

struct measured {
    uint64_t before, after; /* cycles of a call in the pair of blocks with the median ratio */
    uint32_t wins;
    bool faster;
    bool again; /* it was not seen, but then too much else has changed */
};

struct way way_of(const struct fluid_slot *slot);
void way_take(struct fluid_slot *slot, struct way way);

/* The slot's `called` is this one's until it is stopped. */
void measure_start(struct measure *measure, struct fluid_slot *slot, struct way incumbent,
                   struct way candidate);
/* The slot does it the incumbent's way afterwards, unless it was given other code meanwhile. */
void measure_stop(struct measure *measure);
/* Once it is done. */
struct measured measure_result(const struct measure *measure);
/* Turns in the model tell of calls for one token nearly always. several: cycles of both ways for
 * more, 0: not known. What is no better for one, but for more, is faster, with those cycles; what
 * is worse for more is not. */
struct measured measure_with_several(struct measured live, const uint64_t several[2]);
#endif
