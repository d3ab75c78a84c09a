/* counters.c - instrumented modules tell where their counters are when they are initialised, the
 * kernel's own lie where its linker says; the build makes LLVM's raw profile of what is exported
 * here (site_scons/fluid/profraw.py). */
#include "prof/counters.h"

#include "arch/x86/target.h"
#include "console/event.h"
#include "fluid/coverage.h"
#include "lib/panic.h"
#include "load/module.h"

#define MODULES_MAX 64u

/* Bounds of the kernel's sections, named by the linker; of no kernel but that of check=coverage. */
#define BOUND(name) extern const char name[] __attribute__((weak))
BOUND(__start___llvm_prf_data);
BOUND(__stop___llvm_prf_data);
BOUND(__start___llvm_prf_cnts);
BOUND(__stop___llvm_prf_cnts);
BOUND(__start___llvm_prf_names);
BOUND(__stop___llvm_prf_names);

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

static void export(const char *name, const char *target, const struct fluid_coverage *m) {
    event_begin("profraw");
    event_string("module", name);
    event_string("target", target);
    event_u64("counters_at", (uint64_t)(m->counters_begin - m->data_begin));
    event_u64("names_at", (uintptr_t)m->names_begin);
    tell("functions", m->data_begin, m->data_end);
    tell("counters", m->counters_begin, m->counters_end);
    tell("names", m->names_begin, m->names_end);
    event_end();
}

static bool export_kernel(void) {
    const struct fluid_coverage kernel = {
        __start___llvm_prf_data, __stop___llvm_prf_data,   __start___llvm_prf_cnts,
        __stop___llvm_prf_cnts,  __start___llvm_prf_names, __stop___llvm_prf_names,
    };

    if (kernel.counters_begin == kernel.counters_end)
        return false;
    export("kernel", target_tag, &kernel);
    return true;
}

unsigned counters_export(void) {
    bool own = export_kernel();

    for (unsigned i = 0; i < count; i++) {
        const struct loaded_module *m = module_at((uintptr_t)modules[i].counters_begin);
        export(m ? module_name(m) : NULL, m ? module_target(m) : NULL, &modules[i]);
    }
    return count + own;
}
