/* command_tasks.c - /tasks: who runs, how much, and how deep the stacks got. */
#include "console/command.h"

#include "arch/x86/time.h"
#include "console/console.h"
#include "lib/printf.h"
#include "task/task.h"

#define PERMILLE 1000u

/* Since the /tasks before, or the start. */
struct account {
    uint64_t all; /* cycles, of all tasks and idle */
};

static void add_cycles(struct task *task, void *context) {
    struct account *account = context;

    task->cycles_before = task->cycles_now;
    task->cycles_now = task_cycles(task);
    account->all += task->cycles_now - task->cycles_before;
}

static void print_row(const char *name, const char *state, const char *priority, uint64_t cycles,
                      const struct account *account, const char *stack) {
    uint64_t permille = account->all >= PERMILLE ? cycles / (account->all / PERMILLE) : 0;

    if (permille > PERMILLE)
        permille = PERMILLE;
    kprintf("  %-24s %-8s %8s %5llu.%llu %%  %s\n", name, state, priority,
            (unsigned long long)(permille / 10), (unsigned long long)(permille % 10), stack);
}

static void print_task(struct task *task, void *context) {
    char priority[8], stack[32];

    ksnprintf(priority, sizeof(priority), "%u", task->priority);
    ksnprintf(stack, sizeof(stack), "%zu of %zu", task_stack_used(task), task->stack_size);
    print_row(task->name, task_state_name(task->state), priority,
              task->cycles_now - task->cycles_before, context, stack);
}

void command_tasks(char *argument, size_t length) {
    static uint64_t idle_shown;
    uint64_t idle = task_idle_cycles();
    struct account account = {.all = idle - idle_shown};

    (void)argument;
    (void)length;
    task_for_each(add_cycles, &account);
    kprintf("  %-24s %-8s %8s %7s    %s\n", "name", "state", "priority", "CPU",
            "stack, bytes used");
    task_for_each(print_task, &account);
    print_row("idle", "-", "-", idle - idle_shown, &account, "-");
    idle_shown = idle;
    kprintf("Ctrl-C was looked for every %llu us or more often\n",
            (unsigned long long)console_longest_poll_us());
}
