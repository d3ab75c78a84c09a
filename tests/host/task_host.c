/* task_host.c - the scheduler on the machine of task_env.c. Each scenario prints what happened in
 * order.
 *
 *     task_host SCENARIO */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/interrupts.h"
#include "task/task.h"
#include "task_env.h"

static char said[4096];

static void say(const char *what) {
    strncat(said, what, sizeof(said) - strlen(said) - 1);
}

static struct task *start(const char *name, unsigned priority, void (*entry)(void *)) {
    struct fluid_error err;
    struct task *task = task_create(name, priority, entry, (void *)(uintptr_t)name, &err);
    if (task == NULL)
        printf("%s %s\n", err.code, err.text);
    return task;
}

/* The first task sleeps until all others have ended. */
static unsigned alive;

static void await_all(void) {
    while (alive > 0)
        task_sleep_until(now + 1);
}

static void work(void *name) {
    for (unsigned i = 0; i < 12; i++) {
        say(name);
        tick(MODULE);
    }
    alive--;
}

/* Turns of two ticks and of four: a third and two thirds, while both have work. */
static void priorities(void) {
    alive = 2;
    start("a", 2, work);
    start("B", 4, work);
    await_all();
}

/* What is interrupted in the kernel goes on; its turn ends at the first chance behind it. */
static void kernel_work(void *name) {
    for (unsigned i = 0; i < 5; i++) {
        say(name);
        tick(KERNEL);
    }
    say(".");
    task_preemption_point();
    say(name);
    alive--;
}

static void not_in_the_kernel(void) {
    alive = 2;
    start("a", 1, kernel_work);
    start("b", 1, kernel_work);
    await_all();
}

static struct wait_queue queue;

static void await(void *name) {
    uintptr_t was = interrupts_hold();
    say(name);
    wait_queue_wait(&queue);
    interrupts_release(was);
    say(name);
    alive--;
}

static void wake_others(void *name) {
    say(name);
    wait_queue_wake(&queue);
    tick(MODULE); /* who was woken goes first if its priority is higher */
    say(name);
    wait_queue_wake_all(&queue);
    tick(MODULE);
    say(name);
    alive--;
}

static void waking(void) {
    alive = 4;
    start("a", 5, await);
    start("b", 2, await);
    start("c", 5, await);
    start("W", 3, wake_others);
    await_all();
}

static struct mutex mutex;

static void lock(void *name) {
    mutex_lock(&mutex);
    say(name);
    task_yield();
    tick(MODULE);
    say(name);
    mutex_unlock(&mutex);
    task_yield();
    say(name);
    alive--;
}

static void locking(void) {
    alive = 3;
    start("a", 1, lock);
    start("b", 9, lock);
    start("c", 1, lock);
    await_all();
    expect(mutex.owner == NULL, "a mutex that is free");
}

static void twice(void) {
    mutex_lock(&mutex);
    mutex_lock(&mutex);
}

static void not_mine(void) {
    mutex_unlock(&mutex);
}

static void nap(void *name) {
    task_sleep_until(now + (uint64_t)(*(const char *)name - '0') * TICK_NS);
    say(name);
    alive--;
}

static void sleeping(void) {
    alive = 4;
    start("5", 1, nap);
    start("1", 1, nap);
    start("3", 9, nap);
    start("0", 1, nap);
    await_all();
    expect(task_idle_cycles() > 0 && task_next_wake() == UINT64_MAX, "idle time");
}

static void nothing(void *name) {
    (void)name;
    alive--;
}

/* However the allocations of a task fail, nothing stays behind. */
static void out_of_memory(void) {
    for (size_t n = 0; n < 3; n++) {
        memory = n;
        expect(start("x", 1, nothing) == NULL, "no task");
        expect(pages_in_use == 0 && blocks_in_use == 1, "no memory in use but the first task's");
    }
    memory = SIZE_MAX;
    for (unsigned i = 0; i < 100; i++) {
        alive = 1;
        expect(start("x", 1, nothing) != NULL, "a task");
        await_all();
        expect(pages_in_use == 0 && blocks_in_use == 1, "the memory of a task that has ended");
    }
}

static void deadlock(void) {
    interrupts_hold();
    wait_queue_wait(&queue);
}

static void print_name(struct task *task, void *context) {
    (void)context;
    say(task->name);
    say(" ");
    say(task_state_name(task->state));
    say(", ");
}

static void listing(void) {
    alive = 3;
    start("sleeper", 1, nap);
    start("waiter", 9, await);
    start("worker", 1, nothing);
    task_yield();
    task_for_each(print_name, NULL);
    wait_queue_wake_all(&queue);
    alive--; /* the sleeper's name is no number of ticks */
    await_all();
}

/* Branches of its own, between turns of another and sleep. */
static void branching(void *name) {
    char text[16];
    for (unsigned i = 0; i < 4; i++) {
        branches += *(const char *)name == 'a' ? 1 : 100;
        tick(MODULE);
        task_sleep_until(now + (*(const char *)name == 'a' ? TICK_NS : 0));
    }
    snprintf(text, sizeof text, "%s %u,", (const char *)name,
             (unsigned)task_counts().of[PMU_BRANCHES]);
    say(text);
    alive--;
}

static void counting(void) {
    alive = 2;
    start("a", 1, branching);
    start("b", 1, branching);
    await_all();
    expect(task_counts().of[PMU_BRANCHES] == 0, "branches of others are not the first task's");
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {{"priorities", priorities}, {"kernel", not_in_the_kernel},
                     {"waking", waking},         {"locking", locking},
                     {"twice", twice},           {"not-mine", not_mine},
                     {"sleeping", sleeping},     {"memory", out_of_memory},
                     {"deadlock", deadlock},     {"listing", listing},
                     {"counting", counting}};
    task_init();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (argc == 2 && strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            printf("%s\n", said);
            return EXIT_SUCCESS;
        }
    return EXIT_FAILURE;
}
