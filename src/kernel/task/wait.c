/* wait.c - tasks that wait for something, and for each other. */
#include <stddef.h>

#include "arch/x86/interrupts.h"
#include "lib/panic.h"
#include "task/sched.h"

void wait_queue_wait(struct wait_queue *queue) {
    sched_wait(&queue->tasks);
}

void wait_queue_wake(struct wait_queue *queue) {
    sched_wake(&queue->tasks);
}

void wait_queue_wake_all(struct wait_queue *queue) {
    uintptr_t flags = interrupts_hold();
    while (queue->tasks.first != NULL)
        sched_wake(&queue->tasks);
    interrupts_release(flags);
}

void mutex_lock(struct mutex *mutex) {
    uintptr_t flags = interrupts_hold();
    KASSERT(mutex->owner != task_current());
    if (mutex->owner == NULL)
        mutex->owner = task_current();
    else
        wait_queue_wait(&mutex->waiting); /* until it is handed over */
    KASSERT(mutex->owner == task_current());
    interrupts_release(flags);
}

/* The one that has waited longest owns it from now on: nobody can come in between. */
void mutex_unlock(struct mutex *mutex) {
    uintptr_t flags = interrupts_hold();
    KASSERT(mutex->owner == task_current());
    mutex->owner = mutex->waiting.tasks.first;
    wait_queue_wake(&mutex->waiting);
    interrupts_release(flags);
}
