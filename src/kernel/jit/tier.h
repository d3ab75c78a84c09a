/* tier.h - operations of the model get better code while it runs: T0 is what the image has, O1 to
 * O3 are compiled here, for this processor and this slot. docs/tiers.md tells the rules. */
#ifndef KERNEL_JIT_TIER_H
#define KERNEL_JIT_TIER_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/trap.h"
#include "fluid/jit.h"
#include "fluid/kapi.h"

struct loaded_module;

#define TIER_RETRY_CALLS 100u /* of the slot, until what was given up is made again */

/* A slot whose calls can be taken down and measured. */
struct tier {
    struct tier *next;
    struct fluid_slot *slot;
    struct loaded_module *module; /* aside, whose code the slot has; NULL: T0 */
    unsigned level;               /* of that code, 0: T0 */
    unsigned tried;               /* the highest level that has been decided on, now or before */
    uint64_t retry_calls;         /* no other attempt before so many calls in all */
    uint64_t cycles_t0, cycles;   /* of the first calls measured, and of the same by now; 0: none */
    uint64_t compile_ns;          /* of all that was compiled for it in this boot */
    uint32_t published, rejected; /* in this boot */
    bool stale;                 /* another module is beneath it: what follows is to be found out */
    bool has_bitcode;           /* so that it can have other levels than T0 */
    bool from_cache;            /* the code that it has */
    unsigned knob;              /* the next one to be tried (tune.h) */
    bool tuned;                 /* all have been */
    uint64_t saved;             /* by knobs: cycles of a call */
    uint32_t ahead, piece_work; /* the slot's own, while it is paused */
    char reason[16];            /* of the last rejection; "": none */
};

const char *tier_level_name(unsigned level); /* "T0", "O1" .. "O3" */
/* What code the slot has: the same, or "O0" where its module came as bitcode alone (wake.h). */
const char *tier_code_name(const struct tier *tier);
/* Starts to watch slots, and the task that compiles. */
void tier_init(void);
void tier_for_each(void (*visit)(const struct tier *tier, void *context), void *context);
/* What is being worked on: "compiles", "measures". */
void attempt_for_each(void (*visit)(const struct tier *tier, const char *step, void *context),
                      void *context);

/* Paused: each slot has T0's code and no knobs, and nothing is tried; afterwards what it had. */
void tier_pause(bool pause);
bool tier_paused(void);

/* A call of a module has faulted: is it code that was made here, or one that is being measured? Its
 * slot then has T0's code again, and that one never comes back. */
bool tier_blame(const struct trap_fault *fault);
/* The same of a slot whose code has returned what is wrong; it may have other code by now. False:
 * the code is the image's. */
bool tier_blame_slot(const struct fluid_slot *slot, const void *code);
#endif
