/* wake.c - compiles modules that are nothing but bitcode, one by one, until what is looked for is
 * there: first the one whose name says that it may have it. */
#include "jit/wake.h"

#include "arch/x86/cpu.h"
#include "jit/compiler.h"
#include "jit/request.h"
#include "jit/tier_internal.h"
#include "lib/string.h"
#include "load/module.h"
#include "mm/heap.h"

/* Is what was compiled the module, with code? It is looked at beside the others first. */
static int check(const struct loaded_module *asleep, const struct jit_result *made,
                 struct fluid_error *err) {
    struct fluid_error ignored;
    struct loaded_module *m =
        module_load_aside(made->mod, made->mod_size, cpu_info()->features, err);
    if (!m)
        return -1;
    const bool same = strcmp(module_name(m), module_name(asleep)) == 0;
    const int result =
        same && !module_is_empty(m)
            ? 0
            : fluid_fail(err, "E-JIT-39",
                         "code of module %s expected of the compiler, found module "
                         "%s with%s entry points; rebuild JIT.ELF",
                         module_name(asleep), module_name(m), module_is_empty(m) ? "out" : "");
    if (module_unload(m, &ignored) != 0)
        jit_warn(&ignored);
    return result;
}

/* In the place of the module without code. */
static struct loaded_module *load(const struct loaded_module *asleep, const struct jit_result *made,
                                  struct fluid_error *err) {
    size_t size;
    const void *bitcode = module_bitcode(asleep, &size);
    const uint64_t cpu = module_bitcode_cpu(asleep);
    if (check(asleep, made, err) != 0)
        return NULL;
    struct loaded_module *m = module_override(made->mod, made->mod_size, cpu_info()->features, err);
    if (m)
        module_set_bitcode(m, bitcode, size, cpu);
    return m;
}

/* False: it stays asleep. */
static bool wake(struct loaded_module *asleep, struct fluid_error *err) {
    const struct jit_job job = {.module = asleep}; /* all of its entry points */
    struct jit_result made;
    uint8_t *response;
    module_hold(asleep); /* others run, and may want to replace it */
    int compiled = jit_compile(&job, &response, &made, err);
    module_release(asleep);
    if (compiled != 0)
        return false;
    const struct loaded_module *m = load(asleep, &made, err);
    kfree(response);
    return m != NULL;
}

struct search {
    const char *wanted; /* an entry point */
    const struct loaded_module *found;
    bool named; /* found is */
};

/* Is the module called as a part of the entry point is? "tensor_q8_0" of "matmul_q8_0" is, "sum" of
 * "bench_sum_call". Bitcode does not tell what it exports. */
static bool is_named_in(const struct loaded_module *m, const char *entry) {
    const char *prefix = "tensor_";
    const char *name = module_name(m);
    if (strncmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    return strstr(entry, name) != NULL;
}

static void find(const struct loaded_module *m, void *context) {
    struct search *s = context;
    size_t size;
    if (s->named || !module_is_empty(m) || !module_bitcode(m, &size))
        return;
    s->named = is_named_in(m, s->wanted);
    if (s->named || !s->found)
        s->found = m;
}

/* Wakes one. True: there may be more entry points now, or others to wake. */
static bool wake_one(const char *wanted) {
    static bool busy;
    struct search s = {.wanted = wanted};
    struct fluid_error err;
    bool more = true;
    if (busy || !compiler_current())
        return false;
    module_for_each(find, &s);
    struct loaded_module *m = s.found ? module_find(module_name(s.found)) : NULL;
    if (!m)
        return false;
    busy = true;
    if (!wake(m, &err)) {
        jit_warn(&err);
        more = !jit_lacks(&err);
        if (more) /* it would be refused again */
            module_set_bitcode(m, NULL, 0, 0);
    }
    busy = false;
    return more;
}

void wake_init(void) {
    module_when_missing(wake_one);
}
