/* task_arch.h - what tasks need of the machine: arch/x86/task_arch.c, and for waiting
 * arch/x86/task_idle.c or arch/hosted/task_idle.c. */
#ifndef KERNEL_TASK_TASK_ARCH_H
#define KERNEL_TASK_TASK_ARCH_H

#include "task/task.h"

#if __STDC_HOSTED__
#define TASK_STACK_SIZE 0x40000u /* the C library and sanitizers of a process need more */
#else
#define TASK_STACK_SIZE 0x8000u
#endif

/* The task that is made of what runs already: its stack, painted below what is in use. */
void task_arch_adopt(struct task *task);
/* Makes its stack and registers those of a task that begins in task_begin. */
void task_arch_prepare(struct task *task);
/* Leaves from, and returns when it is switched to again. Interrupts are off. */
void task_arch_switch(struct task *from, struct task *to);
/* Where a new task begins, with interrupts off; never returns. */
void task_begin(void);
/* Nothing to do until an interrupt, or until clock_ns() has reached ns. Called and left with
 * interrupts off. */
void task_arch_idle(uint64_t ns);
/* Where nothing interrupts: brings the ticks up to date. */
void task_arch_poll(void);
#endif
