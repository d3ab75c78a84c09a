/* trial.h - the module "trial": takes down calls of a tensor operation as they happen, and runs
 * them again with other code to see whether it does the same. The kernel, which has no floating
 * point, can do neither. Entry points of src/modules/trial/. */
#ifndef FLUID_TRIAL_H
#define FLUID_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#define TRIAL_CALLS 4u /* that are taken down */
/* Calls that are looked at, at most: behind them the trial is done with what it has. */
#define TRIAL_SEEN_MAX (1u << 16)

/* Owned by the kernel; nothing else is at work on it between trial_begin and trial_end. */
struct trial {
    void *code;        /* that is called meanwhile: the incumbent's */
    uint8_t *memory;   /* (TRIAL_CALLS, call_bytes), aligned to 64 */
    size_t call_bytes; /* what a call and two results may take; larger ones are passed over */
    uint32_t every;    /* one of so many calls is taken down: they are of other layers */
    uint32_t seen;     /* calls so far */
    uint32_t done;     /* calls that were taken down; TRIAL_CALLS when there will be no more */
    /* Cycles that trial->code and the candidate take for several tokens at a time, alone and with
     * all data near; 0: it is no matrix product, or the candidate is no good. By trial_check. */
    uint64_t several[2];
};

enum trial_verdict {
    TRIAL_EQUAL,    /* the same bits, in every call */
    TRIAL_DIFFERS,  /* a result has other bits */
    TRIAL_OVERRUN,  /* something was written in front of a result or behind it */
    TRIAL_TOO_LARGE /* no call could be taken down */
};

/* Code to be called in place of trial->code: it does the same, and takes down calls. NULL: of an
 * operation whose calls cannot be. */
typedef void *trial_begin_fn(const char *operation, struct trial *trial);
/* Runs trial->code and `candidate` with what was taken down, each on data of its own; matrix
 * products also for other numbers of tokens. */
typedef enum trial_verdict trial_check_fn(void *candidate);
/* After the last call of what trial_begin has returned. */
typedef void trial_end_fn(void);

#endif
