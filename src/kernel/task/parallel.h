/* parallel.h - loops whose iterations all cores run (fluid_parallel_for in fluid/kapi.h). */
#ifndef KERNEL_TASK_PARALLEL_H
#define KERNEL_TASK_PARALLEL_H

#include "arch/x86/trap.h"
#include "fluid/kapi.h"

/* Runs function(context, 0 .. count - 1, core) in any order. False when one of them has faulted, on
 * whatever core; *fault is the first one. Those that other cores were in have run, the rest has
 * not. */
bool parallel_run(uint32_t count, fluid_parallel_fn *function, void *context,
                  struct trap_fault *fault);
/* For a core that has nothing to do: runs iterations as long as there are any. False: there were
 * none. */
bool parallel_help(unsigned core);
bool parallel_waits(void); /* there are some */
#endif
