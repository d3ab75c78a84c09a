/* task_env.c - the scheduler's machine, played: contexts of the C library, a clock that only ticks
 * move, and memory that is counted. */
#include "task_env.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

#define CONTEXTS 16

size_t pages_in_use, blocks_in_use, memory = SIZE_MAX;
uint64_t now, branches;

static uint8_t first_stack[64];
static ucontext_t contexts[CONTEXTS]; /* a task's is at its stack_pointer */
static size_t context_count;
static bool held; /* interrupts are off */

void expect(bool condition, const char *what) {
    if (condition)
        return;
    printf("broken: %s\n", what);
    exit(EXIT_FAILURE);
}

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

void tick(uintptr_t ip) {
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

void pmu_charge(struct pmu_counts *counts) {
    expect(held, "charges with interrupts off");
    if (counts)
        counts->of[PMU_BRANCHES] += branches;
    branches = 0;
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
