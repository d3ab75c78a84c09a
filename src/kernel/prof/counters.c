/* counters.c - instrumented modules tell where their counters are when they are initialised; the
 * build makes LLVM's raw profile of what is exported here (site_scons/fluid/profraw.py). */
#include "prof/counters.h"

#include "console/event.h"
#include "fluid/coverage.h"
#include "lib/panic.h"
#include "load/module.h"

#define MODULES_MAX 64u

static struct fluid_coverage modules[MODULES_MAX];
static unsigned count;

void fluid_coverage_add(const struct fluid_coverage *ranges) {
    KASSERT(count < MODULES_MAX); /* the build makes them, not a user */
    modules[count++] = *ranges;
}

void counters_forget(uintptr_t start, size_t size) {
    for (unsigned i = 0; i < count; i++)
        if ((uintptr_t)modules[i].counters_begin - start < size)
            modules[i--] = modules[--count];
}

static void tell(const char *key, const char *begin, const char *end) {
    event_base64(key, begin, (size_t)(end - begin));
}

static void export(const struct fluid_coverage *m) {
    const struct loaded_module *module = module_at((uintptr_t)m->counters_begin);

    event_begin("profraw");
    event_string("module", module ? module_name(module) : NULL);
    event_string("target", module ? module_target(module) : NULL);
    event_u64("counters_at", (uint64_t)(m->counters_begin - m->data_begin));
    event_u64("names_at", (uintptr_t)m->names_begin);
    tell("functions", m->data_begin, m->data_end);
    tell("counters", m->counters_begin, m->counters_end);
    tell("names", m->names_begin, m->names_end);
    event_end();
}

unsigned counters_export(void) {
    for (unsigned i = 0; i < count; i++)
        export(&modules[i]);
    return count;
}
