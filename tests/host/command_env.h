/* command_env.h - the knob of command_env.c. */
#ifndef COMMAND_ENV_H
#define COMMAND_ENV_H

extern unsigned long command_allocations; /* so many succeed from now on */

#endif
