/* sched.c - whose turn it is: round robin, with turns as long as the priority says.
 *
 * Ready tasks await their turn in one queue; the one whose turn is over goes to its end. A task
 * that is woken and has a higher priority than the running one does not queue up: it is urgent, as
 * is from then on the one that it interrupts, for what is left of its turn. Urgent tasks go first,
 * by priority. So no task starves, and what waits for input answers at once.
 *
 * Only the boot processor runs tasks: keeping interrupts off is all the locking there is. */
#include "task/sched.h"

#include <stddef.h>

#include "arch/x86/clock.h"
#include "arch/x86/interrupts.h"
#include "arch/x86/pmu.h"
#include "arch/x86/time.h"
#include "lib/panic.h"
#include "load/module.h"
#include "task/task_arch.h"

static struct task *current; /* NULL before task_init */
static struct task_queue urgent, ready, sleepers;
static struct task *ended; /* the one that was left last, if it has */
static volatile bool due;  /* the running task's turn is over, or another one is to go first */
static bool idle;          /* the running task waits, as all others do */
static uint64_t since;     /* cycles that are accounted for */
static uint64_t idle_cycles;

struct task *task_current(void) {
    return current;
}

void sched_start(struct task *first) {
    first->state = TASK_RUNNING;
    first->slice = first->priority;
    current = first;
    since = time_cycles();
    module_guard_use(&first->guards);
}

static uint64_t take_cycles(void) {
    uint64_t now = time_cycles(), spent = now - since;
    since = now;
    return spent;
}

uint64_t task_cycles(const struct task *task) {
    uintptr_t flags = interrupts_hold();
    uint64_t cycles = task->cycles;
    if (task == current && !idle)
        cycles += time_cycles() - since;
    interrupts_release(flags);
    return cycles;
}

struct pmu_counts task_counts(void) {
    uintptr_t flags = interrupts_hold();
    pmu_charge(&current->counts);
    struct pmu_counts counts = current->counts;
    interrupts_release(flags);
    return counts;
}

bool task_is_idle(void) {
    return idle;
}

uint64_t task_idle_cycles(void) {
    return idle_cycles;
}

bool task_others_ready(void) {
    return urgent.first != NULL || ready.first != NULL;
}

/* Interrupts are off here and below. */
static void make_ready(struct task *task) {
    bool first = idle || task->priority > current->priority;
    task->state = TASK_READY;
    if (task->slice == 0)
        task->slice = task->priority;
    if (first)
        task_queue_insert(&urgent, task, task->priority - 1); /* behind its equals */
    else
        task_queue_append(&ready, task);
    due = due || first || current->slice == 0;
}

void sched_add(struct task *task) {
    uintptr_t flags = interrupts_hold();
    task->state = TASK_READY;
    task->slice = task->priority;
    task_queue_append(&ready, task);
    interrupts_release(flags);
}

uint64_t task_next_wake(void) {
    uint64_t ns = UINT64_MAX;
    for (const struct task *task = sleepers.first; task != NULL; task = task->next)
        ns = task->wake_ns < ns ? task->wake_ns : ns;
    return ns;
}

static void wake_sleepers(void) {
    uint64_t now = sleepers.first != NULL ? clock_ns() : 0;
    for (struct task *task = sleepers.first, *next; task != NULL; task = next) {
        next = task->next;
        if (task->wake_ns > now)
            continue;
        task_queue_remove(&sleepers, task);
        make_ready(task);
    }
}

static struct task *take_ready(void) {
    struct task *task = task_queue_take(&urgent);
    return task != NULL ? task : task_queue_take(&ready);
}

/* The next task, after waiting for one if need be. */
static struct task *next_ready(void) {
    struct task *task = take_ready();
    if (task != NULL)
        return task;
    idle = true;
    do {
        task_arch_idle(task_next_wake());
        wake_sleepers();
        task = take_ready();
    } while (task == NULL);
    idle_cycles += take_cycles();
    pmu_charge(NULL);
    idle = false;
    return task;
}

/* In the task that was switched to: a task cannot give its own stack back. */
static void free_ended(void) {
    struct task *task = ended;
    ended = NULL;
    if (task != NULL)
        sched_free(task);
}

/* The running task has been put where it belongs, unless it is ready as before. */
static void switch_task(void) {
    struct task *from = current, *to;
    due = false;
    from->cycles += take_cycles();
    pmu_charge(&from->counts);
    if (from->state == TASK_RUNNING) {
        to = take_ready();
        if (to == NULL)
            return;
        from->state = TASK_READY;
        if (from->slice > 0) {
            task_queue_insert(&urgent, from, from->priority);
        } else {
            from->slice = from->priority;
            task_queue_append(&ready, from);
        }
    } else {
        to = next_ready();
    }
    due = false;
    to->state = TASK_RUNNING;
    if (to == from)
        return;
    if (from->state == TASK_ENDED)
        ended = from;
    current = to;
    module_guard_use(&to->guards);
    task_arch_switch(from, to);
    free_ended();
}

void task_begin(void) {
    free_ended();
    interrupts_enable();
    current->entry(current->argument);
    task_end();
}

_Noreturn void task_end(void) {
    interrupts_disable();
    KASSERT(!task_is_console());
    sched_forget(current);
    current->state = TASK_ENDED;
    switch_task();
    panic("a task that has ended was switched to");
}

void task_yield(void) {
    uintptr_t flags = interrupts_hold();
    current->slice = 0;
    switch_task();
    interrupts_release(flags);
}

void task_sleep_until(uint64_t ns) {
    uintptr_t flags = interrupts_hold();
    if (clock_ns() < ns) {
        current->wake_ns = ns;
        current->state = TASK_SLEEPING;
        task_queue_append(&sleepers, current);
        switch_task();
    }
    interrupts_release(flags);
}

void sched_wait(struct task_queue *queue) {
    current->state = TASK_WAITING;
    task_queue_append(queue, current);
    switch_task();
}

void sched_wake(struct task_queue *queue) {
    uintptr_t flags = interrupts_hold();
    struct task *task = task_queue_take(queue);
    if (task != NULL)
        make_ready(task);
    interrupts_release(flags);
}

void task_tick(void) {
    if (current == NULL)
        return;
    wake_sleepers();
    if (idle)
        return;
    if (current->slice > 0)
        current->slice--;
    due = due || (current->slice == 0 && task_others_ready());
}

void task_preempt(uintptr_t ip) {
    if (due && !idle && module_contains(ip))
        switch_task();
}

void task_preempt_ring3(void) {
    if (due && !idle)
        switch_task();
}

void task_preemption_point(void) {
    uintptr_t flags;
    if (current == NULL)
        return;
    task_arch_poll();
    if (!due)
        return;
    flags = interrupts_hold();
    switch_task();
    interrupts_release(flags);
}
