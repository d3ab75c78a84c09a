/* sample.h - a sampling profiler: where the boot processor was at each tick of the timer, with the
 * calls that led there. The timer's handler only notes addresses; sample_fold finds the functions
 * and counts equal stacks. In fluid-host nothing ticks: there are no samples. */
#ifndef KERNEL_PROF_SAMPLE_H
#define KERNEL_PROF_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_DEPTH 16u /* innermost functions of a stack that are kept */

struct sample_stack {
    uint32_t count;
    uint32_t depth;
    uintptr_t start[SAMPLE_DEPTH]; /* of functions, innermost first; 0: none known any more */
};

struct sample_totals {
    uint64_t taken; /* in a stack */
    uint64_t idle;  /* no task had anything to do */
    uint64_t lost;  /* nobody folded in time, or there are too many different stacks */
};

/* Memory for the stacks. Without it all samples are lost, until there is some. */
void sample_init(void);
/* The interrupt that is being handled came at ip with that frame pointer (trap.c). */
void sample_interrupted(uintptr_t ip, uintptr_t frame_pointer);
void sample_tick(void); /* timer.c; interrupts are off */
/* Not from handlers of interrupts. Where modules poll; and before one goes. */
void sample_fold(void);
bool sample_fold_is_due(void);
/* Code in start .. start + size goes away: its functions become unknown. */
void sample_forget(uintptr_t start, size_t size);
void sample_for_each(void (*visit)(const struct sample_stack *stack));
struct sample_totals sample_totals(void);
void sample_reset(void);
#endif
