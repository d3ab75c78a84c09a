/* sample_host.c - stacks of the sampling profiler (prof/sample.c). A function is 0x100 bytes of
 * addresses; those below 0x1000 belong to nobody. Traces are given, ticks are called.
 *
 *     sample_host SCENARIO      what is in the table and the totals, at each look */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/backtrace.h"
#include "arch/x86/interrupts.h"
#include "load/ksyms.h"
#include "mm/heap.h"
#include "prof/sample.h"
#include "task/task.h"

#define FUNCTION 0x100u
#define FRAME 0xf00du
#define RING 256u
#define STACKS 1024u

static uintptr_t trace[BACKTRACE_MAX];
static size_t depth;
static bool idle, memory = true;
static uintptr_t held; /* how often */
static void *table;

static void expect(bool condition, const char *what) {
    if (condition)
        return;
    printf("broken: %s\n", what);
    exit(EXIT_FAILURE);
}

size_t backtrace(uintptr_t ip, uintptr_t called_from, uintptr_t frame_pointer,
                 uintptr_t to[BACKTRACE_MAX]) {
    expect(ip == trace[0] && called_from == 0 && frame_pointer == FRAME, "what was interrupted");
    memcpy(to, trace, sizeof(trace));
    return depth;
}

uintptr_t interrupts_hold(void) {
    return held++;
}

void interrupts_release(uintptr_t was) {
    held = was;
}

uintptr_t ksyms_function(uintptr_t address) {
    return address < 0x1000 ? 0 : address / FUNCTION * FUNCTION;
}

void *kcalloc(size_t count, size_t size) {
    return memory ? table = calloc(count, size) : NULL;
}

bool task_is_idle(void) {
    return idle;
}

/* A tick in the function of the last argument's caller's ... of the first: innermost first. */
static void tick(size_t count, const uintptr_t *addresses) {
    depth = count;
    memcpy(trace, addresses, count * sizeof(*addresses));
    sample_interrupted(trace[0], FRAME);
    sample_tick();
}

#define TICK(...)                                                                                  \
    tick(sizeof((uintptr_t[]){__VA_ARGS__}) / sizeof(uintptr_t), (uintptr_t[]){__VA_ARGS__})

static void print_stack(const struct sample_stack *s) {
    printf("%" PRIu32 ":", s->count);
    for (uint32_t i = 0; i < s->depth; i++)
        printf(" %" PRIxPTR, s->start[i]);
    printf("\n");
}

static void look(void) {
    struct sample_totals totals;
    sample_fold();
    sample_for_each(print_stack);
    totals = sample_totals();
    printf("%" PRIu64 " taken, %" PRIu64 " idle, %" PRIu64 " lost\n", totals.taken, totals.idle,
           totals.lost);
    expect(held == 0, "interrupts on");
}

/* Wherever in its functions the processor was. A return address may be the end of its function. */
static void equal(void) {
    TICK(0x1000, 0x2080, 0x3080);
    TICK(0x10ff, 0x2001, 0x3100);
    TICK(0x1001, 0x2100);
    TICK(0x1001, 0x2100, 0x3001);
    TICK(0x20, 0x2100);
    look();
}

static void full(void) {
    for (unsigned i = 0; i < RING + 44; i++) {
        expect(sample_fold_is_due() == (i >= RING / 2), "half of the ring");
        TICK(0x1000);
    }
    look();
    expect(!sample_fold_is_due(), "an empty ring");
    for (unsigned i = 0; i < 10 * RING; i++) { /* round and round */
        TICK(0x1000, 0x2001 + (i % 2) * FUNCTION);
        if (sample_fold_is_due())
            sample_fold();
    }
    look();
}

static void waiting(void) {
    idle = true;
    TICK(0x1000);
    TICK(0x1000);
    idle = false;
    TICK(0x1000);
    look();
}

/* Of a stack that is deeper than what is kept, the innermost. */
static void deep(void) {
    uintptr_t addresses[BACKTRACE_MAX];
    for (unsigned i = 0; i < BACKTRACE_MAX; i++)
        addresses[i] = 0x1001 + i * FUNCTION;
    tick(BACKTRACE_MAX, addresses);
    addresses[BACKTRACE_MAX - 1] = 0x9001;
    tick(BACKTRACE_MAX, addresses);
    look();
}

/* 0x2000 .. 0x3fff goes away, while one sample waits in the ring; then it is other code. */
static void forget(void) {
    TICK(0x1000, 0x2001, 0x4001);
    look();
    TICK(0x3fff, 0x1001);
    sample_forget(0x2000, 0x2000);
    look();
    TICK(0x2000, 0x5001);
    look();
}

static void many(void) {
    for (unsigned i = 0; i < STACKS + 100; i++) {
        TICK(0x1000 + i * FUNCTION);
        sample_fold();
    }
    TICK(0x1000); /* that one is in the table */
    sample_fold();
    struct sample_totals totals = sample_totals();
    printf("%" PRIu64 " taken, %" PRIu64 " lost\n", totals.taken, totals.lost);
}

static void no_memory(void) {
    memory = false;
    TICK(0x1000);
    look();
    sample_forget(0x1000, 0x100);
    sample_reset();
    TICK(0x1000);
    look();
    memory = true;
    TICK(0x1000);
    look();
}

static void reset(void) {
    TICK(0x1000);
    look();
    idle = true;
    TICK(0x1000);
    idle = false;
    TICK(0x2000); /* waits in the ring */
    sample_reset();
    look();
    TICK(0x3000);
    look();
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {{"equal", equal},   {"full", full}, {"idle", waiting}, {"deep", deep},
                     {"forget", forget}, {"many", many}, {"reset", reset},  {"memory", no_memory}};
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (argc == 2 && strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            free(table);
            return EXIT_SUCCESS;
        }
    return EXIT_FAILURE;
}
