/* queue.c - first in, first out; those who are to go first are put in front. */
#include "task/queue.h"

#include <stddef.h>

#include "lib/panic.h"
#include "task/task.h"

static void claim(struct task_queue *queue, struct task *task) {
    KASSERT(task->queue == NULL);
    task->queue = queue;
}

void task_queue_append(struct task_queue *queue, struct task *task) {
    claim(queue, task);
    task->next = NULL;
    if (queue->first == NULL)
        queue->first = task;
    else
        queue->last->next = task;
    queue->last = task;
}

void task_queue_insert(struct task_queue *queue, struct task *task, unsigned above) {
    struct task **link = &queue->first, *before = NULL;
    claim(queue, task);
    while (*link != NULL && (*link)->priority > above) {
        before = *link;
        link = &before->next;
    }
    task->next = *link;
    *link = task;
    if (queue->last == before)
        queue->last = task;
}

struct task *task_queue_take(struct task_queue *queue) {
    struct task *task = queue->first;
    if (task != NULL)
        task_queue_remove(queue, task);
    return task;
}

bool task_queue_remove(struct task_queue *queue, struct task *task) {
    struct task *before = NULL;
    if (task->queue != queue)
        return false;
    for (struct task *at = queue->first; at != task; at = at->next)
        before = at;
    if (before == NULL)
        queue->first = task->next;
    else
        before->next = task->next;
    if (queue->last == task)
        queue->last = before;
    task->next = NULL;
    task->queue = NULL;
    return true;
}
