/* epoch.c - which tasks were in calls of modules, and whether they still are. */
#include "jit/epoch.h"

#include <stddef.h>

#include "arch/x86/clock.h"
#include "task/task.h"

#define LOOK_NS 1000000u

static void note(struct task *task, void *context) {
    struct epoch *epoch = context;
    unsigned i = 0;
    if (task == task_current() || task->guards.innermost == NULL || !task->guards.calls_slots)
        return;
    while (i < EPOCH_TASKS && epoch->task[i])
        i++;
    if (i == EPOCH_TASKS) {
        epoch->too_many = true;
        return;
    }
    epoch->task[i] = task;
    epoch->ended[i] = task->guards.ended;
}

void epoch_begin(struct epoch *epoch) {
    *epoch = (struct epoch){0};
    task_for_each(note, epoch);
}

struct search {
    const struct task *task;
    uint64_t ended;
    bool in_it;
};

static void look(struct task *task, void *context) {
    struct search *s = context;
    s->in_it |= task == s->task && task->guards.innermost != NULL && task->guards.ended == s->ended;
}

/* A task that has ended is not found; one in its memory's place has a lower count, or is not in. */
bool epoch_passed(struct epoch *epoch) {
    bool passed = true;
    for (unsigned i = 0; i < EPOCH_TASKS; i++) {
        struct search s = {epoch->task[i], epoch->ended[i], false};
        if (!epoch->task[i])
            continue;
        task_for_each(look, &s);
        if (!s.in_it)
            epoch->task[i] = NULL;
        passed &= !s.in_it;
    }
    if (passed && epoch->too_many) {
        epoch_begin(epoch); /* the others, too */
        return false;
    }
    return passed;
}

void epoch_wait(void) {
    struct epoch epoch;
    epoch_begin(&epoch);
    while (!epoch_passed(&epoch))
        task_sleep_until(clock_ns() + LOOK_NS);
}
