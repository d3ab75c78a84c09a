/* sched.h - between sched.c (whose turn it is) and the rest of task/. */
#ifndef KERNEL_TASK_SCHED_H
#define KERNEL_TASK_SCHED_H

#include "task/task.h"

void sched_start(struct task *first); /* it runs already */
void sched_add(struct task *task);    /* a new one: at the end of the queue */
/* Interrupts are off: the running task waits in queue. */
void sched_wait(struct task_queue *queue);
void sched_wake(struct task_queue *queue); /* its first task, if there is one */

/* task.c: takes the task out of the list of all; gives its memory back. */
void sched_forget(struct task *task);
void sched_free(struct task *task);
#endif
