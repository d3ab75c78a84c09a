/* task.h - tasks of the boot processor: threads of control that share everything but their stacks.
 *
 * Code of the kernel is never preempted: it gives the processor away where it calls one of the
 * functions marked "others run" below. Code of modules is preempted by interrupts, and where it
 * calls the kernel API; code in ring 3 by interrupts, and where it calls the system. docs/tasks.md
 * says why. */
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/pmu.h"
#include "load/guard.h"
#include "task/queue.h"

#define TASK_NAME_SIZE 24
/* A task's turn lasts so many ticks: of tasks that always have work, each gets its priority's part
 * of the sum. What wakes up goes before tasks of lower priority at once. */
#define TASK_PRIORITY_MAX 16u
#define TASK_CONSOLE_PRIORITY 4u
#define TASK_BACKGROUND_PRIORITY 1u

enum task_state { TASK_RUNNING, TASK_READY, TASK_WAITING, TASK_SLEEPING, TASK_ENDED };

struct task {
    char name[TASK_NAME_SIZE];
    enum task_state state;
    unsigned priority;
    unsigned slice;                     /* ticks left of its turn */
    bool stop;                          /* somebody wants it to end: fluid_poll tells its module */
    uint64_t cycles;                    /* of the processor, until it was last left */
    uint64_t cycles_now, cycles_before; /* of these, at the last two /tasks */
    struct pmu_counts counts;           /* while it had the processor, as cycles */
    uint64_t wake_ns;                   /* while sleeping: when to go on */
    struct task *next;                  /* in queue */
    struct task_queue *queue;           /* NULL: in none */
    struct task *next_in_list;          /* of all tasks */
    struct guard_state guards;          /* of its calls of modules */
    void (*entry)(void *argument);
    void *argument;
    const struct ring3 *ring3; /* of a task with a program in ring 3 (task/ring3.h); else NULL */
    /* Between stack and here: the task's turn ended there (task_arch.h). */
    uintptr_t stack_pointer;
    void *extended; /* vector registers and their control (extended.h) */
    uint8_t *stack; /* lowest byte; a page below it that is absent */
    size_t stack_size;
};

/* The caller becomes the first task, the console's; after pages_init, before interrupts are on. */
void task_init(void);
/* Starts entry(argument), which ends the task when it returns. NULL with E-TASK-01 when there is no
 * memory. The structure is valid until the task has ended. */
struct task *task_create(const char *name, unsigned priority, void (*entry)(void *argument),
                         void *argument, struct fluid_error *err);
struct task *task_current(void);
bool task_is_console(void); /* the first task runs */

void task_yield(void);                         /* others run: every one that is ready, once */
void task_sleep_until(uint64_t ns);            /* others run, until clock_ns() has reached ns */
_Noreturn void task_end(void);                 /* others run */
bool task_others_ready(void);                  /* task_yield would run somebody */
uint64_t task_cycles(const struct task *task); /* so far, this turn included */
struct pmu_counts task_counts(void);           /* of the one that calls, the same way */
bool task_is_idle(void);                       /* no task is ready now */
uint64_t task_idle_cycles(void);               /* when no task was ready */
/* When the next sleeper is to wake; UINT64_MAX: none sleeps. */
uint64_t task_next_wake(void);

/* Tasks that wait for something. */
struct wait_queue {
    struct task_queue tasks;
};
/* Others run, until it is woken. Called with interrupts off, so that what is waited for cannot
 * happen between looking and waiting; they are off on return. */
void wait_queue_wait(struct wait_queue *queue);
void wait_queue_wake(struct wait_queue *queue);     /* the first one; from anywhere */
void wait_queue_wake_all(struct wait_queue *queue); /* from anywhere */

/* For what blocks while it changes something. Not for handlers of interrupts. */
struct mutex {
    struct task *owner; /* NULL: free */
    struct wait_queue waiting;
};
void mutex_lock(struct mutex *mutex); /* others run while another task has it */
void mutex_unlock(struct mutex *mutex);

/* timer.c: 100 times a second. */
void task_tick(void);
/* trap.c, at the end of an interrupt of code at ip: the turn ends if it is over and the code is a
 * module's. */
void task_preempt(uintptr_t ip);
void task_preempt_ring3(void); /* the same, of code in ring 3 */
/* kapi.c, at the end of a function that a module has called: the same. */
void task_preemption_point(void);

/* In the order they were started. */
void task_for_each(void (*visit)(struct task *task, void *context), void *context);
/* Bytes of its stack that were ever used. */
size_t task_stack_used(const struct task *task);
/* The task in whose stack's guard page address lies; NULL: in none. */
const struct task *task_of_guard_page(uintptr_t address);
const char *task_state_name(enum task_state state);
#endif
