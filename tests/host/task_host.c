/* task_host.c - the scheduler on a machine that is played here: contexts of the C library, a clock
 * that only ticks move, and memory that is counted. Each scenario prints what happened in order.
 *
 *     task_host SCENARIO */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "arch/x86/clock.h"
#include "arch/x86/extended.h"
#include "arch/x86/interrupts.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "load/module.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "task/task.h"
#include "task/task_arch.h"

#define TICK_NS 10000000u
#define MODULE 1u /* an address in a module's code */
#define KERNEL 2u
#define CONTEXTS 16

static uint8_t first_stack[64];
static ucontext_t contexts[CONTEXTS]; /* a task's is at its stack_pointer */
static size_t context_count, pages_in_use, blocks_in_use;
static size_t memory = SIZE_MAX; /* allocations that succeed */
static uint64_t now;
static bool held; /* interrupts are off */

static void expect(bool condition, const char *what) {
    if (condition)
        return;
    printf("broken: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- the machine */

uint64_t clock_ns(void) {
    return now;
}

void interrupts_enable(void) {
    held = false;
}

void interrupts_disable(void) {
    held = true;
}

uintptr_t interrupts_hold(void) {
    uintptr_t was = held;
    held = true;
    return was;
}

void interrupts_release(uintptr_t was) {
    held = was != 0;
}

static void tick(uintptr_t ip) {
    bool was = held;
    held = true;
    now += TICK_NS;
    task_tick();
    task_preempt(ip);
    held = was;
}

void task_arch_idle(uint64_t ns) {
    expect(held, "idle with interrupts off");
    if (ns == UINT64_MAX)
        panic("nothing will ever wake anybody");
    tick(KERNEL);
}

void task_arch_poll(void) {
}

void task_arch_adopt(struct task *task) {
    task->stack = first_stack;
    task->stack_size = sizeof(first_stack);
}

static void begin(void) {
    task_begin();
}

void task_arch_prepare(struct task *task) {
    task->stack_pointer = 1 + context_count++ % (CONTEXTS - 1); /* 0 is the first task's */
    ucontext_t *context = &contexts[task->stack_pointer];
    getcontext(context);
    context->uc_stack.ss_sp = task->stack;
    context->uc_stack.ss_size = task->stack_size;
    makecontext(context, begin, 0);
}

void task_arch_switch(struct task *from, struct task *to) {
    expect(held && from != to, "a switch between tasks with interrupts off");
    swapcontext(&contexts[from->stack_pointer], &contexts[to->stack_pointer]);
}

size_t extended_size(void) {
    return 64;
}

void extended_init(void *area) {
    (void)area;
}

bool module_contains(uintptr_t address) {
    return address == MODULE;
}

void module_guard_use(struct guard_state *state) {
    expect(state->innermost == NULL, "the guards of a task");
}

static bool give(void) {
    if (memory == 0)
        return false;
    memory--;
    return true;
}

void *pages_alloc_for(enum page_use use, size_t count, size_t align, uint64_t below) {
    (void)use;
    (void)align;
    (void)below;
    if (!give())
        return NULL;
    pages_in_use += count;
    return mmap(NULL, count * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0);
}

void pages_free(void *first, size_t count) {
    pages_in_use -= count;
    munmap(first, count * PAGE_SIZE);
}

void paging_protect(const void *start, size_t size, unsigned flags) {
    mprotect((void *)(uintptr_t)start, size,
             flags == PAGE_NONE ? PROT_NONE : PROT_READ | PROT_WRITE);
}

void *kzalloc_aligned(size_t size, size_t align) {
    (void)align;
    blocks_in_use++;
    if (give())
        return calloc(1, size);
    blocks_in_use--;
    return NULL;
}

void *kzalloc(size_t size) {
    return kzalloc_aligned(size, 1);
}

void kfree(void *block) {
    blocks_in_use -= block != NULL;
    free(block);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}

_Noreturn void panic(const char *format, ...) {
    printf("panic: %s\n", format);
    exit(EXIT_SUCCESS);
}

/* ---- scenarios */

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

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {{"priorities", priorities}, {"kernel", not_in_the_kernel},
                     {"waking", waking},         {"locking", locking},
                     {"twice", twice},           {"not-mine", not_mine},
                     {"sleeping", sleeping},     {"memory", out_of_memory},
                     {"deadlock", deadlock},     {"listing", listing}};
    task_init();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (argc == 2 && strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            printf("%s\n", said);
            return EXIT_SUCCESS;
        }
    return EXIT_FAILURE;
}
