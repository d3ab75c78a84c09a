/* queue.h - tasks in a row, linked through their own field: a task is in one queue at most. Knows
 * no interrupts; callers keep them off. */
#ifndef KERNEL_TASK_QUEUE_H
#define KERNEL_TASK_QUEUE_H

#include <stdbool.h>

struct task;

struct task_queue {
    struct task *first, *last; /* NULL: empty */
};

void task_queue_append(struct task_queue *queue, struct task *task);
/* In front, but behind those at the front whose priority is above this one. */
void task_queue_insert(struct task_queue *queue, struct task *task, unsigned above);
struct task *task_queue_take(struct task_queue *queue); /* the first one; NULL: empty */
/* False when it is not in there. */
bool task_queue_remove(struct task_queue *queue, struct task *task);
#endif
