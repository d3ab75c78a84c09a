/* task_env.h - the machine that the scheduler runs on in task_host.c. */
#ifndef TASK_ENV_H
#define TASK_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICK_NS 10000000u
#define MODULE 1u /* an address in a module's code */
#define KERNEL 2u

extern size_t pages_in_use, blocks_in_use;
extern size_t memory; /* allocations that succeed */
extern uint64_t now;
extern uint64_t branches; /* that nobody was charged yet */

/* Ends the program, which says that this is broken. */
void expect(bool condition, const char *what);
void tick(uintptr_t ip); /* of the timer, which interrupts code there */
#endif
