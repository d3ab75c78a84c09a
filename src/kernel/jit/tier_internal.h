/* tier_internal.h - between tier.c (which slot has which code), tier_task.c (who works on it) and
 * tier_attempt.c (one attempt). */
#ifndef KERNEL_JIT_TIER_INTERNAL_H
#define KERNEL_JIT_TIER_INTERNAL_H

#include "cache/cache.h"
#include "jit/entry.h"
#include "jit/request.h"
#include "jit/tier.h"

/* tier_plan.c: what is to be compiled for the slot at a level. False: its module has no bitcode. */
bool tier_job(const struct tier *tier, unsigned level, struct jit_job *job);
/* The level that so many calls and cycles are worth; 0: none yet. */
unsigned tier_level_of(uint64_t calls, uint64_t cycles);

/* tier.c: the slot has this code of a module aside from now on; what it had goes when nobody is in
 * it any more. */
void tier_use(struct tier *tier, struct loaded_module *module, void *code, unsigned level);
/* T0's code again. */
void tier_drop(struct tier *tier);
/* Unloads a module aside once nobody can be in it: in the task, later. */
void tier_discard(struct loaded_module *module);
/* In the task: unloads what was discarded before. */
void tier_bury(void);

/* tier.c: from now on, and for the slots that are there. */
void tier_watch_slots(void);

/* tier_attempt.c: compiles, compares, measures, publishes or rejects; others run meanwhile. */
void tier_attempt(struct tier *tier, unsigned level);
/* The slot that an attempt is made for has another module beneath it, or its code has faulted: the
 * attempt ends. */
void tier_attempt_abandon(const struct tier *tier);
/* Is the module being tried? Then its tier, which is told that it has faulted. */
struct tier *tier_attempt_blame(const struct loaded_module *module);
const struct tier *tier_attempt_current(const char **step);

/* tier_event.c */
void tier_event(const struct tier *tier, unsigned from, unsigned to, const char *reason,
                uint64_t before, uint64_t after, uint64_t compile_ns);
#endif
