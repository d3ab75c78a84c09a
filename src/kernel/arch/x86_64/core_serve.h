/* core_serve.h - between core_serve.c, which x86-64 and fluid-host share, and the files that start
 * cores: arch/x86_64/cores.c and arch/hosted/cores.c. */
#ifndef KERNEL_ARCH_X86_64_CORE_SERVE_H
#define KERNEL_ARCH_X86_64_CORE_SERVE_H

#include "arch/x86/core.h"

struct core *core_first(void); /* of the boot processor */
struct core *core_at(unsigned index);
/* A core, whose index is cores_count(), runs: loops count on it from now on. */
void core_joins(struct core *core);
/* The last one to join does not run after all: count is as it was. */
void cores_count_back(unsigned count);
/* What a core beside the first does from then on. */
_Noreturn void core_serve(struct core *core);

/* ---- what they define for it */

/* How long a core spins without work before it parks. Longer than the time between two loops of one
 * token, so that the next loop need not wake it; short enough to cost an idle system nothing. */
unsigned core_spin_us(void);
/* Sleeps with core->parked set, until core_wake or until parallel_waits(). */
void core_park(struct core *core);
void core_wake(struct core *core);
/* Interrupts it: trap_overtime there. */
void core_look(struct core *core);
/* A panic: makes all cores but this one end, soon; and ends this one. */
void core_stop_others(void);
_Noreturn void core_end(void);
#endif
