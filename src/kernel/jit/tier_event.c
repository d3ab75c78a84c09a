/* tier_event.c - each decision as an event. */
#include "console/event.h"
#include "jit/measure.h"
#include "jit/tier_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"

#define NS_PER_MS 1000000u

const char *tier_level_name(unsigned level) {
    static const char *const names[JIT_LEVEL_MAX + 1] = {"T0", "O1", "O2", "O3"};
    return names[level];
}

const char *tier_code_name(const struct tier *tier) {
    const struct loaded_module *base = module_of_export(tier->slot->name);
    bool made_here = base && strcmp(module_target(base), "O0") == 0;
    unsigned level = tier_paused() ? 0 : tier->level;
    return level == 0 && made_here ? "O0" : tier_level_name(level);
}

void tier_event(const struct tier *tier, const char *to, const char *reason,
                const struct measured *measured, uint64_t compile_ns) {
    char shape[24];
    if (!tier->has_bitcode)
        return;
    ksnprintf(shape, sizeof shape, "%ux%u", tier->slot->rows, tier->slot->cols);
    event_begin("tier");
    event_string("op", tier->slot->name);
    event_string("shape", shape);
    event_string("from", tier_code_name(tier));
    event_string("to", to);
    event_string("result", reason ? "rejected" : "published");
    event_string("reason", reason);
    event_u64("cycles_before", measured ? measured->before : 0);
    event_u64("cycles_after", measured ? measured->after : 0);
    event_u64("compile_ms", compile_ns / NS_PER_MS);
    event_end();
}
