/* verdict.h - how an attempt ends (attempt.h): each is told of in an event. */
#ifndef KERNEL_JIT_VERDICT_H
#define KERNEL_JIT_VERDICT_H

#include "jit/attempt.h"

/* Once it has been measured: publishes or rejects, and the cache keeps it. Others may run. */
void verdict_decide(struct attempt *attempt, const struct measured *live);
/* measured NULL: it was not. */
void verdict_reject(const struct attempt *attempt, const char *reason,
                    const struct measured *measured);
/* The same for good: it was wrong. */
void verdict_wrong(struct attempt *attempt, const char *reason);
/* Cycles of a call that are saved, in as many calls as there were so far. */
uint64_t verdict_benefit(const struct tier *tier, uint64_t saved);
#endif
