/* test_tasks.c - tasks of the kernel among themselves: turns, waiting, stacks, and what a switch
 * keeps. */
#include "arch/x86/clock.h"
#include "arch/x86/interrupts.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "selftest/selftest.h"
#include "task/task.h"

#define ROUNDS 4
#define NAP_NS 30000000u
#define DEEP 8192u

/* What the tasks of one test share. */
struct stage {
    char log[64];
    size_t logged;
    unsigned started, left; /* tasks that have begun, and not ended */
    struct wait_queue done;
    struct mutex mutex;
    bool wrong;
    uint8_t *guard;
    size_t used;
};

static void say(struct stage *stage, char letter) {
    if (stage->logged < sizeof(stage->log) - 1)
        stage->log[stage->logged++] = letter;
}

static void leave(struct stage *stage) {
    uintptr_t flags = interrupts_hold();
    if (--stage->left == 0)
        wait_queue_wake_all(&stage->done);
    interrupts_release(flags);
}

static void await_all(struct stage *stage) {
    uintptr_t flags = interrupts_hold();
    while (stage->left > 0)
        wait_queue_wait(&stage->done);
    interrupts_release(flags);
}

static bool start(struct stage *stage, unsigned count, void (*entry)(void *argument)) {
    struct fluid_error err;
    for (unsigned i = 0; i < count; i++) {
        stage->left++;
        if (task_create("selftest", TASK_CONSOLE_PRIORITY, entry, stage, &err) == NULL) {
            stage->left--;
            await_all(stage);
            return false;
        }
    }
    return true;
}

/* Each task rounds in a way of its own and keeps a value of its own in a vector register. */
static void take_turns(void *argument) {
    struct stage *stage = argument;
    char letter = (char)('a' + stage->started++);
    uint32_t mxcsr = 0x1f80u | (uint32_t)(letter & 3) << 13, seen;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t value = (uint32_t)letter, kept;
        say(stage, letter);
        __asm__ volatile("movd %0, %%xmm7" : : "r"(value));
        task_yield();
        __asm__ volatile("movd %%xmm7, %0" : "=r"(kept));
        __asm__ volatile("stmxcsr %0" : "=m"(seen));
        stage->wrong |= kept != value || seen != mxcsr;
    }
    leave(stage);
}

static bool test_turns(char *why, size_t size) {
    struct stage stage = {.logged = 0};
    uint32_t before, after;
    __asm__ volatile("stmxcsr %0" : "=m"(before));
    EXPECT(start(&stage, 2, take_turns));
    await_all(&stage);
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    EXPECT(strcmp(stage.log, "abababab") == 0);
    EXPECT(!stage.wrong && before == after);
    return true;
}

static void work_alone(void *argument) {
    struct stage *stage = argument;
    mutex_lock(&stage->mutex);
    say(stage, '(');
    task_yield();
    task_sleep_until(clock_ns() + 1);
    say(stage, ')');
    mutex_unlock(&stage->mutex);
    leave(stage);
}

static bool test_mutex(char *why, size_t size) {
    struct stage stage = {.logged = 0};
    EXPECT(start(&stage, 3, work_alone));
    await_all(&stage);
    EXPECT(strcmp(stage.log, "()()()") == 0);
    EXPECT(stage.mutex.owner == NULL && stage.mutex.waiting.tasks.first == NULL);
    return true;
}

static void nap(void *argument) {
    struct stage *stage = argument;
    uint64_t until = clock_ns() + NAP_NS;
    task_sleep_until(until);
    stage->wrong |= clock_ns() < until;
    leave(stage);
}

static bool test_sleep(char *why, size_t size) {
    struct stage stage = {.logged = 0};
    uint64_t start_ns = clock_ns();
    EXPECT(start(&stage, 3, nap));
    task_sleep_until(start_ns + NAP_NS / 2);
    EXPECT(clock_ns() >= start_ns + NAP_NS / 2);
    await_all(&stage);
    EXPECT(!stage.wrong);
    return true;
}

__attribute__((noinline)) static void dig(struct stage *stage) {
    volatile uint8_t hole[DEEP];
    for (size_t i = 0; i < sizeof(hole); i++)
        hole[i] = 1;
    stage->wrong |= hole[sizeof(hole) - 1] != 1;
}

static void use_stack(void *argument) {
    struct stage *stage = argument;
    size_t before = task_stack_used(task_current());
    dig(stage);
    stage->used = task_stack_used(task_current());
    stage->wrong |= before >= DEEP || task_of_guard_page((uintptr_t)stage) != NULL;
    stage->guard = task_current()->stack - 1;
    stage->wrong |= paging_query(stage->guard) != PAGE_NONE;
    stage->wrong |= task_of_guard_page((uintptr_t)stage->guard) != task_current();
    leave(stage);
}

static bool test_stack(char *why, size_t size) {
    struct stage stage = {.logged = 0};
    size_t pages = 0;
    for (unsigned round = 0; round < 3; round++) {
        EXPECT(start(&stage, 1, use_stack));
        await_all(&stage);
        task_yield(); /* the task's memory is given back */
        EXPECT(!stage.wrong && stage.used >= DEEP && stage.used < 2 * DEEP);
        EXPECT(paging_query(stage.guard) == PAGE_W);
        EXPECT(round == 0 || pages_available() == pages);
        pages = pages_available();
    }
    return true;
}

const struct selftest selftests_tasks[] = {
    {"task-turns", test_turns},
    {"task-mutex", test_mutex},
    {"task-sleep", test_sleep},
    {"task-stack", test_stack},
    {NULL, NULL},
};
