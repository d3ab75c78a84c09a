/* epoch_host.c - epochs (src/kernel/jit/epoch.c) with tasks that a test moves in and out of calls.
 */
#include <stdio.h>
#include <stdlib.h>

#include "arch/x86/clock.h"
#include "jit/epoch.h"
#include "task/task.h"

#define TASKS (EPOCH_TASKS + 4)

static struct task tasks[TASKS];
static unsigned count; /* of tasks that there are; the first one is the caller */
static unsigned naps;
static struct module_guard guard;
static void (*while_asleep)(void);

static void need(bool condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

struct task *task_current(void) {
    return &tasks[0];
}

void task_for_each(void (*visit)(struct task *task, void *context), void *context) {
    for (unsigned i = 0; i < count; i++)
        visit(&tasks[i], context);
}

uint64_t clock_ns(void) {
    return naps;
}

void task_sleep_until(uint64_t ns) {
    need(ns > clock_ns(), "a time to come");
    need(++naps < 1000, "an end of waiting");
    if (while_asleep)
        while_asleep();
}

static void enter(unsigned i) {
    tasks[i].guards.innermost = &guard;
    tasks[i].guards.calls_slots = true;
}

static void leave(unsigned i) {
    tasks[i].guards.innermost = NULL;
    tasks[i].guards.ended++;
}

static void start(unsigned tasks_now) {
    for (unsigned i = 0; i < TASKS; i++)
        tasks[i] = (struct task){0};
    count = tasks_now;
    naps = 0;
    while_asleep = NULL;
}

static void nobody_is_in(void) {
    start(4);
    epoch_wait();
    need(naps == 0, "nothing to wait for");
    enter(0); /* the caller itself does not count */
    epoch_wait();
    need(naps == 0, "not for itself");
}

static void one_leaves(void) {
    struct epoch e;
    start(3);
    enter(1);
    epoch_begin(&e);
    need(!epoch_passed(&e), "it is in");
    enter(2);
    need(!epoch_passed(&e), "it is still in");
    leave(1);
    need(epoch_passed(&e), "who has come in since does not count");
    need(epoch_passed(&e), "nor does that change");
}

static void one_calls_no_slots(void) {
    start(3);
    enter(2);
    tasks[2].guards.calls_slots = false;
    epoch_wait();
    need(naps == 0, "its code is its own");
}

static void one_leaves_and_comes_back(void) {
    struct epoch e;
    start(2);
    enter(1);
    epoch_begin(&e);
    leave(1);
    enter(1);
    need(epoch_passed(&e), "it has been out");
}

static void one_ends(void) {
    struct epoch e;
    start(3);
    enter(2);
    epoch_begin(&e);
    count = 2;
    need(epoch_passed(&e), "it is no more");
    count = 3;
    need(epoch_passed(&e), "one in its place is another");
}

static void two_leave_one_by_one(void) {
    struct epoch e;
    start(4);
    enter(1);
    enter(3);
    epoch_begin(&e);
    leave(3);
    need(!epoch_passed(&e), "the other is in");
    enter(3);
    leave(1);
    need(epoch_passed(&e), "both have been out");
}

static void next_leaves(void) {
    for (unsigned i = 1; i < count; i++)
        if (tasks[i].guards.innermost) {
            leave(i);
            return;
        }
}

/* More than it can note: it waits for those that it has noted, then for the others. */
static void too_many(void) {
    start(TASKS);
    for (unsigned i = 1; i < TASKS; i++)
        enter(i);
    while_asleep = next_leaves;
    epoch_wait();
    need(naps >= TASKS - 1, "for all of them");
    for (unsigned i = 1; i < TASKS; i++)
        need(!tasks[i].guards.innermost, "all are out");
}

int main(void) {
    nobody_is_in();
    one_leaves();
    one_calls_no_slots();
    one_leaves_and_comes_back();
    one_ends();
    two_leave_one_by_one();
    too_many();
    puts("7 cases");
    return 0;
}
