/* task.c - making tasks, the list of all, and giving back what they had. */
#include "task/task.h"

#include <stddef.h>

#include "arch/x86/extended.h"
#include "arch/x86/interrupts.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "task/sched.h"
#include "task/stack.h"
#include "task/task_arch.h"

static struct task console; /* the first task */
static struct task *list;

bool task_is_console(void) {
    return task_current() == &console;
}

static void *extended_area(void) {
    void *area = kzalloc_aligned(extended_size(), EXTENDED_ALIGN);
    if (area != NULL)
        extended_init(area);
    return area;
}

void task_init(void) {
    ksnprintf(console.name, sizeof(console.name), "console");
    console.priority = TASK_CONSOLE_PRIORITY;
    console.extended = extended_area();
    if (console.extended == NULL)
        panic("memory for the first task expected, not available; give the machine more");
    task_arch_adopt(&console);
    list = &console;
    sched_start(&console);
}

static struct task *no_memory(struct task *task, struct fluid_error *err) {
    if (task != NULL)
        sched_free(task);
    fluid_fail(err, "E-TASK-01",
               "%u KiB of memory for another task expected, not available; give the machine more",
               TASK_STACK_SIZE / 1024);
    return NULL;
}

struct task *task_create(const char *name, unsigned priority, void (*entry)(void *argument),
                         void *argument, struct fluid_error *err) {
    struct task *task = kzalloc(sizeof(*task)), **end = &list;
    KASSERT(priority > 0 && priority <= TASK_PRIORITY_MAX);
    if (task == NULL)
        return no_memory(task, err);
    ksnprintf(task->name, sizeof(task->name), "%s", name);
    task->priority = priority;
    task->entry = entry;
    task->argument = argument;
    task->stack_size = TASK_STACK_SIZE;
    task->stack = stack_allocate(TASK_STACK_SIZE);
    task->extended = extended_area();
    if (task->stack == NULL || task->extended == NULL)
        return no_memory(task, err);
    task_arch_prepare(task);
    while (*end != NULL)
        end = &(*end)->next_in_list;
    *end = task;
    sched_add(task);
    return task;
}

void sched_forget(struct task *task) {
    struct task **link = &list;
    while (*link != task)
        link = &(*link)->next_in_list;
    *link = task->next_in_list;
}

void sched_free(struct task *task) {
    if (task->stack != NULL)
        stack_free(task->stack, task->stack_size);
    kfree(task->extended);
    kfree(task);
}

void task_for_each(void (*visit)(struct task *task, void *context), void *context) {
    for (struct task *task = list; task != NULL; task = task->next_in_list)
        visit(task, context);
}

size_t task_stack_used(const struct task *task) {
    return stack_used(task->stack, task->stack_size);
}

const struct task *task_of_guard_page(uintptr_t address) {
    for (const struct task *task = list; task != NULL; task = task->next_in_list)
        if (task != &console && (uintptr_t)task->stack - address - 1 < PAGE_SIZE)
            return task;
    return NULL;
}

const char *task_state_name(enum task_state state) {
    static const char *const names[] = {
        [TASK_RUNNING] = "running",   [TASK_READY] = "ready", [TASK_WAITING] = "waiting",
        [TASK_SLEEPING] = "sleeping", [TASK_ENDED] = "ended",
    };
    return names[state];
}
