/* verdict.c - what becomes of an attempt: its code or knob is taken or rejected, and the cache
 * keeps which. */
#include "jit/verdict.h"

#include "jit/entry.h"
#include "jit/tier_internal.h"
#include "lib/printf.h"
#include "prof/profile.h"

void verdict_reject(const struct attempt *a, const char *reason, const struct measured *m) {
    struct tier *t = a->tier;
    ksnprintf(t->reason, sizeof t->reason, "%s", reason);
    t->rejected++;
    tier_event(t, a->to, t->reason, m, a->compile_ns);
}

/* value * numerator / denominator, which is the larger one. */
static uint64_t scaled(uint64_t value, uint64_t numerator, uint64_t denominator) {
    for (; denominator >> 32 != 0; denominator >>= 1)
        numerator >>= 1;
    return value / denominator * numerator + value % denominator * numerator / denominator;
}

/* Calls are never the same twice: how much faster they get is what can be told of several changes,
 * in cycles of the first calls that were measured. */
static void take_down(struct tier *t, const struct measured *live, bool faster) {
    if (t->cycles_t0 == 0)
        t->cycles_t0 = t->cycles = live->before;
    if (faster && live->after < live->before)
        t->cycles = scaled(t->cycles, live->after, live->before);
}

static uint64_t saved_by(const struct measured *m) {
    return m->after < m->before ? m->before - m->after : 0;
}

uint64_t verdict_benefit(const struct tier *t, uint64_t saved) {
    const struct profile *p = t->slot->profile;
    uint64_t benefit;
    return __builtin_mul_overflow(saved, p ? p->calls : 1, &benefit) ? UINT64_MAX : benefit;
}

/* Whatever was decided saves about what it takes to find that out again. */
static void keep(const struct attempt *a, const struct measured *live, bool faster,
                 unsigned level_before) {
    struct entry entry = {
        .version = ENTRY_VERSION,
        .mod_size = faster ? (uint32_t)a->made.mod_size : 0,
        .level_before = level_before,
        .cycles_before = live->before,
        .cycles_after = live->after,
        .compile_ns = a->compile_ns,
    };
    uint64_t benefit = faster ? verdict_benefit(a->tier, saved_by(live)) : 0;
    if (benefit < a->compile_ns)
        benefit = a->compile_ns;
    entry_put(a->key, &entry, faster ? a->made.mod : NULL, benefit);
}

static void publish(struct attempt *a, const struct measured *m) {
    struct tier *t = a->tier;
    tier_event(t, a->to, NULL, m, a->compile_ns);
    t->published++;
    if (a->knob) {
        way_take(t->slot, a->candidate);
        t->saved += saved_by(m);
        return;
    }
    tier_use(t, a->module, a->candidate.code, a->level);
    a->module = NULL;
}

void verdict_decide(struct attempt *a, const struct measured *live) {
    const struct measured m = a->knob ? *live : measure_with_several(*live, a->several);
    struct tier *t = a->tier;
    unsigned level_before = t->level;
    take_down(t, live, m.faster);
    if (m.faster)
        publish(a, &m);
    else
        verdict_reject(a, "not-faster", &m);
    if (a->knob)
        return;
    t->tried = a->level; /* writing takes a while, in which others may end the attempt */
    keep(a, live, m.faster, level_before);
}

void verdict_wrong(struct attempt *a, const char *reason) {
    verdict_reject(a, reason, NULL);
    if (!a->knob)
        entry_quarantine(a->key);
}
