/* hotness.c - the event that build and runtime plan from: calls per function and shape, memory per
 * module, samples of stacks. */
#include "prof/hotness.h"

#include "arch/x86/cpu.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "console/boot_event.h"
#include "console/event.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/ksyms.h"
#include "load/module.h"
#include "mm/heap.h"
#include "prof/processor_counts.h"
#include "prof/profile.h"
#include "prof/sample.h"
#include "task/task.h"

#define HOTNESS_SCHEMA 1u
#define NAME_SIZE 80u

static struct pmu_counts at_reset;

static void hex(const char *key, const uint8_t source[MOD_SOURCE_SIZE]) {
    char digits[2 * MOD_SOURCE_SIZE + 1];

    for (unsigned i = 0; i < MOD_SOURCE_SIZE; i++)
        ksnprintf(digits + 2 * i, 3, "%02x", source[i]);
    event_string(key, digits);
}

static void tell_module(const struct loaded_module *m, void *context) {
    const struct heap_account *account = heap_account(module_account(m));

    (void)context;
    event_object_begin(NULL);
    event_string("name", module_name(m));
    event_string("target", module_target(m));
    hex("source", module_source(m));
    event_u64("code_bytes", module_memory(m));
    event_u64("live_bytes", account->live);
    event_u64("peak_bytes", account->peak);
    event_object_end();
}

static void tell_buckets(const struct profile *p) {
    event_array_begin("buckets");
    for (unsigned i = 0; i < PROFILE_BUCKETS; i++) {
        if (p->bucket[i] == 0)
            continue;
        event_array_begin(NULL);
        event_u64(NULL, profile_bucket_start(i));
        event_u64(NULL, p->bucket[i]);
        event_array_end();
    }
    event_array_end();
}

static void tell_function(const struct profile *p, void *context) {
    (void)context;
    if (p->calls == 0)
        return;
    event_object_begin(NULL);
    event_string("module", p->module);
    event_string("target", p->target);
    hex("source", p->source);
    event_string("caller", p->caller);
    event_string("name", p->function);
    event_u64("rows", p->rows);
    event_u64("cols", p->cols);
    event_u64("calls", p->calls);
    event_u64("cycles", p->cycles);
    event_u64("min", p->min);
    event_u64("median", profile_median(p));
    event_u64("max", p->max);
    tell_buckets(p);
    event_object_end();
}

static void tell_stack(const struct sample_stack *s) {
    event_object_begin(NULL);
    event_u64("count", s->count);
    event_array_begin("functions"); /* outermost first */
    for (uint32_t i = s->depth; i-- > 0;) {
        char name[NAME_SIZE];
        char *end;

        ksyms_format(s->start[i], name, sizeof(name));
        end = strrchr(name, '+');
        if (end)
            *end = '\0';
        event_string(NULL, name);
    }
    event_array_end();
    event_object_end();
}

static void tell_samples(void) {
    struct sample_totals totals;

    sample_fold();
    totals = sample_totals();
    event_object_begin("samples");
    event_u64("hz", TIMER_HZ);
    event_u64("taken", totals.taken);
    event_u64("idle", totals.idle);
    event_u64("lost", totals.lost);
    event_array_begin("stacks");
    sample_for_each(tell_stack);
    event_array_end();
    event_object_end();
}

static void tell_counters(void) {
    struct pmu_counts since_reset = {0}, now;

    (void)task_counts(); /* charges what there is */
    now = pmu_charged();
    processor_counts_add(&since_reset, &at_reset, &now);
    processor_counts_tell(&since_reset);
}

void hotness_reset(void) {
    (void)task_counts();
    at_reset = pmu_charged();
    profile_reset();
    sample_reset();
}

void hotness_export(void) {
    event_begin("hotness");
    event_u64("schema", HOTNESS_SCHEMA);
    event_string("build", boot_build_id());
    event_string("target", cpu_target());
    event_string("cpu", cpu_info()->brand);
    event_u64("hz", time_hz());
    event_u64("overhead", profile_overhead());
    tell_counters();
    event_array_begin("modules");
    module_for_each(tell_module, NULL);
    event_array_end();
    event_array_begin("functions");
    profile_for_each(tell_function, NULL);
    event_array_end();
    tell_samples();
    event_end();
}
