/* tier_internal.h - between tier.c (which slot has which code), tier_task.c (who works on it) and
 * attempt.c (how). */
#ifndef KERNEL_JIT_TIER_INTERNAL_H
#define KERNEL_JIT_TIER_INTERNAL_H

#include "cache/cache.h"
#include "jit/entry.h"
#include "jit/request.h"
#include "jit/tier.h"

/* tier_plan.c: what is to be compiled for the slot at a level. False: its module has no bitcode. */
bool tier_job(const struct tier *tier, unsigned level, struct jit_job *job);
/* A matrix product: cores share it, and it may be one loop with others (llama/share.c). */
bool tier_is_product(const struct fluid_slot *slot);
/* A benchmark: whoever calls it looks at what it returns (tier_blame_slot). */
bool tier_checks_itself(const struct fluid_slot *slot);
/* The level that so many calls and cycles are worth; 0: none yet. */
unsigned tier_level_of(uint64_t calls, uint64_t cycles);

/* tier.c: the slot has this code of a module aside from now on; what it had goes when nobody is in
 * it any more. */
void tier_use(struct tier *tier, struct loaded_module *module, void *code, unsigned level);
/* T0's code again. */
void tier_drop(struct tier *tier);
/* Unloads a module aside once nobody can be in it: in the task, later. */
void tier_discard(struct loaded_module *module);
/* In the task: unloads what was discarded before, once nobody can be in it any more. */
void tier_bury(void);
/* In the task: for slots that have got another module. */
void tier_refresh(void);
/* A warning beside what the console shows just now. */
void jit_warn(const struct fluid_error *err);
/* Whether it went wrong for what this machine lacks now, not for what was to be compiled. */
bool jit_lacks(const struct fluid_error *err);

/* tier.c: from now on, and for the slots that are there. */
void tier_watch_slots(void);
/* tier.c: what the cache has of a compiler that was found after the slots were made. */
void tier_look_up(void);

/* attempt.c: compiles, compares and begins to measure; others run meanwhile. */
void tier_attempt(struct tier *tier, unsigned level);
/* May one for this slot begin beside those that are being made? */
bool tier_attempt_fits(const struct tier *tier);
/* Ends those that have been measured. */
void tier_attempts_look(void);
/* The slot has another module beneath it: attempts for it end. */
void tier_attempt_abandon(const struct tier *tier);
/* Is the module a candidate? Then its slot has the incumbent's code again, and it will be told of
 * as faulty. Or the one that takes down calls for one? Then that attempt ends. */
bool tier_attempt_blame(const struct loaded_module *module);
/* The same of a slot's code. */
bool tier_attempt_blame_slot(const struct fluid_slot *slot, const void *code);

/* Measures the next knob of the slot, if it has one. */
void tier_tune(struct tier *tier);

/* tier_event.c; reason NULL: it was published. Of slots without bitcode there are only knobs,
 * which are found in silence: /jit shows them. */
struct measured;
void tier_event(const struct tier *tier, const char *to, const char *reason,
                const struct measured *measured, uint64_t compile_ns);
#endif
