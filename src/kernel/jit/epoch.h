/* epoch.h - when code that nobody can reach any more is left by all who may still be in it: when
 * every task that calls slots and was in a call of a module has come out of it. Other cores run
 * nothing but pieces of such calls. */
#ifndef KERNEL_JIT_EPOCH_H
#define KERNEL_JIT_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#define EPOCH_TASKS 8u

struct task;

struct epoch {
    const struct task *task[EPOCH_TASKS]; /* that were in calls; NULL: none, or none any more */
    uint64_t ended[EPOCH_TASKS];          /* what they had ended then */
    bool too_many;                        /* more than EPOCH_TASKS were */
};

/* Now; the caller is in no call. */
void epoch_begin(struct epoch *epoch);
bool epoch_passed(struct epoch *epoch);
/* Sleeps until it has. */
void epoch_wait(void);
#endif
