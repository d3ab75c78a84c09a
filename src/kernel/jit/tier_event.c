/* tier_event.c - each decision as an event and, where it changes something, a line for people. */
#include "console/event.h"
#include "jit/tier_internal.h"
#include "lib/printf.h"

#define NS_PER_MS 1000000u

static const char *name_of(unsigned level) {
    static const char *const names[JIT_LEVEL_MAX + 1] = {"T0", "O1", "O2", "O3"};
    return names[level];
}

void tier_event(const struct tier *tier, unsigned from, unsigned to, const char *reason,
                uint64_t before, uint64_t after, uint64_t compile_ns) {
    char shape[24];
    ksnprintf(shape, sizeof shape, "%ux%u", tier->slot->rows, tier->slot->cols);
    event_begin("tier");
    event_string("op", tier->slot->name);
    event_string("shape", shape);
    event_string("from", name_of(from));
    event_string("to", name_of(to));
    event_string("result", reason ? "rejected" : "published");
    event_string("reason", reason);
    event_u64("cycles_before", before);
    event_u64("cycles_after", after);
    event_u64("compile_ms", compile_ns / NS_PER_MS);
    event_end();
}
