/* bench.c - a benchmark is a task: the console goes on, and a fault in its module ends it alone.
 * Its cycles are those it had the processor, not those that passed. */
#include "console/bench.h"

#include "console/console.h"
#include "console/event.h"
#include "fluid/bench.h"
#include "jit/tier.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/module.h"
#include "mm/heap.h"
#include "prof/processor_counts.h"
#include "prof/profile.h"
#include "task/task.h"

#define RUNS_MAX 4u
#define SAMPLES_MAX 256u /* for the median: of the last calls */
#define SYMBOL_SIZE (BENCH_NAME_SIZE + 16)

struct run {
    struct task *task;                               /* NULL: free */
    char name[BENCH_NAME_SIZE], symbol[SYMBOL_SIZE]; /* of `call` */
    struct loaded_module *module;                    /* held */
    bench_open_fn *open;
    struct fluid_slot *slot; /* of `call`, from when its size is known */
    bench_close_fn *close;
    struct fluid_bench bench;
    uint64_t size; /* as asked for */
    uint32_t calls, done;
    uint64_t min, max;
    struct pmu_counts counts;     /* of the processor, in all calls */
    uint64_t sample[SAMPLES_MAX]; /* cycles of call i at i % SAMPLES_MAX */
};

static struct run *runs[RUNS_MAX]; /* NULL, or a run whose task has not ended */

static void name_entry_point(char symbol[SYMBOL_SIZE], const char *name, const char *what) {
    ksnprintf(symbol, SYMBOL_SIZE, "bench_%s_%s", name, what);
}

static void *entry_point(const char *name, const char *what) {
    char symbol[SYMBOL_SIZE];

    name_entry_point(symbol, name, what);
    return module_find_export(symbol);
}

bool bench_is(const struct loaded_module *module) {
    char symbol[SYMBOL_SIZE];

    name_entry_point(symbol, module_name(module), "call");
    return module_export(module, symbol) != NULL;
}

bool bench_exists(const char *name) {
    return module_find(name) && entry_point(name, "open") && entry_point(name, "call") &&
           entry_point(name, "close");
}

static void add_sample(struct run *run, uint64_t cycles) {
    run->sample[run->done % SAMPLES_MAX] = cycles;
    if (run->done == 0 || cycles < run->min)
        run->min = cycles;
    if (cycles > run->max)
        run->max = cycles;
    run->done++;
}

/* Sorts the samples. */
static uint64_t median(struct run *run) {
    uint32_t count = run->done < SAMPLES_MAX ? run->done : SAMPLES_MAX;

    for (uint32_t i = 1; i < count; i++) {
        uint64_t value = run->sample[i];
        uint32_t at = i;
        for (; at > 0 && run->sample[at - 1] > value; at--)
            run->sample[at] = run->sample[at - 1];
        run->sample[at] = value;
    }
    return run->sample[count / 2];
}

static void dispose(struct run *run) {
    struct module_guard guard;
    struct fluid_error err;

    if (MODULE_GUARD(&guard)) {
        module_guard_report(&guard, &err);
        return;
    }
    run->close(&run->bench);
    module_guard_end(&guard);
}

static int prepare(struct run *run, struct fluid_error *err) {
    struct module_guard guard;

    if (MODULE_GUARD(&guard))
        return module_guard_report(&guard, err);
    int result = run->open(&run->bench, run->size, err);
    module_guard_end(&guard);
    if (result != 0)
        return -1;
    run->slot = fluid_slot_get(run->symbol, (uint32_t)run->bench.size, 0);
    if (run->slot)
        return 0;
    dispose(run);
    return fluid_fail(err, "E-BENCH-04",
                      "memory for the slot of benchmark %s expected, not available; give the "
                      "machine more",
                      run->name);
}

enum outcome { CALLED, AGAIN, STOPPED, FAILED };

/* What code that was made here has done wrong is told; the image's has its place again. */
static enum outcome made_here(const struct fluid_error *err) {
    console_aside_begin();
    report_warn(err);
    console_aside_end();
    return AGAIN;
}

/* code: what was called. */
static enum outcome wrong(struct run *run, const void *code, uint32_t checksum,
                          struct fluid_error *err) {
    fluid_fail(err, "E-BENCH-03",
               "benchmark %s: checksum %x expected, found %x; rebuild the module", run->name,
               run->bench.checksum, checksum);
    return tier_blame_slot(run->slot, code) ? made_here(err) : FAILED;
}

/* One call, through the slot: the code in it may be another one next time. */
static enum outcome call(struct run *run, struct fluid_error *err) {
    const struct task *task = task_current();
    struct module_guard guard;

    if (MODULE_GUARD(&guard)) {
        bool ours = tier_blame(&guard.fault);
        module_guard_report(&guard, err);
        return ours ? made_here(err) : FAILED;
    }
    struct pmu_counts before = task_counts(), after;
    void *code = run->slot->code;
    uint64_t start = fluid_call_begin(), cycles;
    uint32_t checksum = ((bench_call_fn *)code)(&run->bench);
    cycles = task_cycles(task) - start;
    after = task_counts();
    module_guard_end(&guard);
    if (task->stop)
        return STOPPED;
    if (checksum != run->bench.checksum)
        return wrong(run, code, checksum, err);
    profile_call(run->slot, cycles);
    add_sample(run, cycles);
    processor_counts_add(&run->counts, &before, &after);
    return CALLED;
}

/* A fault gives up the run. 0: done, or stopped. */
static int measure(struct run *run, struct fluid_error *err) {
    enum outcome outcome = CALLED;

    if (prepare(run, err) != 0)
        return -1;
    while (run->done < run->calls && !task_current()->stop && outcome != FAILED)
        outcome = call(run, err);
    dispose(run);
    return outcome == FAILED ? -1 : 0;
}

static void tell(struct run *run) {
    uint64_t middle = median(run);
    uint64_t hundredths = run->bench.units > 0 ? middle * 100 / run->bench.units : 0;
    char tag[BENCH_NAME_SIZE + 24];

    ksnprintf(tag, sizeof(tag), "%s_%s", run->name, module_target(run->module));
    event_begin("bench");
    event_string("name", run->name);
    event_string("tag", tag);
    event_u64("size", run->bench.size);
    event_u64("calls", run->done);
    event_u64("min", run->min);
    event_u64("median", middle);
    event_u64("max", run->max);
    event_u64("checksum", run->bench.checksum);
    event_u64("units", run->bench.units);
    event_string("unit", run->bench.unit);
    processor_counts_tell(&run->counts);
    event_end();
    console_aside_begin();
    kprintf("bench %s %llu: %u calls of %llu %s, %llu.%02llu cycles for each\n", run->name,
            (unsigned long long)run->bench.size, run->done, (unsigned long long)run->bench.units,
            run->bench.unit, (unsigned long long)(hundredths / 100),
            (unsigned long long)(hundredths % 100));
    console_aside_end();
}

static void discard(struct run **place) {
    module_release((*place)->module);
    kfree(*place);
    *place = NULL;
}

static void run_in_task(void *argument) {
    struct run **place = argument, *run = *place;
    struct fluid_error err;

    if (measure(run, &err) != 0) {
        console_aside_begin();
        report_error(&err);
        console_aside_end();
    } else if (!task_current()->stop) {
        tell(run);
    }
    discard(place);
}

static struct run **free_place(void) {
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (!runs[i])
            return &runs[i];
    return NULL;
}

int bench_start(const char *name, uint64_t size, uint32_t calls, struct fluid_error *err) {
    struct run **place = free_place(), *run;

    if (!place)
        return fluid_fail(err, "E-BENCH-05",
                          "at most %u benchmarks at a time expected, found another one; wait for "
                          "one to end, or /bench stop",
                          RUNS_MAX);
    run = kzalloc(sizeof(*run));
    if (!run)
        return fluid_fail(err, "E-BENCH-04",
                          "%zu bytes of memory expected for a benchmark, not available; give the "
                          "machine more",
                          sizeof(*run));
    name_entry_point(run->symbol, name, "call");
    ksnprintf(run->name, sizeof(run->name), "%s", name);
    run->module = module_of_export(run->symbol);
    run->open = (bench_open_fn *)entry_point(name, "open");
    run->close = (bench_close_fn *)entry_point(name, "close");
    run->size = size;
    run->calls = calls;
    module_hold(run->module);
    *place = run;
    run->task = task_create(name, TASK_BACKGROUND_PRIORITY, run_in_task, place, err);
    if (run->task)
        return 0;
    discard(place);
    return -1;
}

void bench_stop(void) {
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (runs[i])
            runs[i]->task->stop = true;
}

void bench_print(void) {
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (runs[i])
            kprintf("  running: %s, %u of %u calls done\n", runs[i]->name, runs[i]->done,
                    runs[i]->calls);
}
