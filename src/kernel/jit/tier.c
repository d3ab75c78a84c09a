/* tier.c - the slots that get better code, which code each has, and what the cache has for them. */
#include "jit/tier.h"

#include "arch/x86/cpu.h"
#include "console/event.h"
#include "fluid/trial.h"
#include "jit/epoch.h"
#include "jit/tier_internal.h"
#include "jit/tune.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"
#include "load/slot.h"
#include "mm/heap.h"

#define GRAVES 64u

static struct tier *tiers;
static struct loaded_module *graves[GRAVES]; /* to be unloaded */
static uint32_t graves_count;

void tier_for_each(void (*visit)(const struct tier *tier, void *context), void *context) {
    for (const struct tier *t = tiers; t; t = t->next)
        visit(t, context);
}

/* When there are too many it stays loaded: memory is all that costs. */
void tier_discard(struct loaded_module *module) {
    if (module && graves_count < GRAVES)
        graves[graves_count++] = module;
}

static void unload(uint32_t count) {
    struct fluid_error err;
    for (uint32_t i = 0; i < count; i++)
        if (module_unload(graves[i], &err) != 0)
            jit_warn(&err);
    graves_count -= count;
    memmove(graves, graves + count, graves_count * sizeof *graves);
}

/* Those that were there when the epoch began go when it has passed. */
void tier_bury(void) {
    static struct epoch epoch;
    static uint32_t waiting;
    if (waiting > 0 && epoch_passed(&epoch)) {
        unload(waiting);
        waiting = 0;
    }
    if (waiting == 0 && graves_count > 0) {
        waiting = graves_count;
        epoch_begin(&epoch);
    }
}

void tier_use(struct tier *t, struct loaded_module *module, void *code, unsigned level) {
    t->slot->code = code;
    tier_discard(t->module);
    t->module = module;
    t->level = level;
    t->from_cache = false;
}

void tier_drop(struct tier *t) {
    tier_use(t, NULL, slot_base(t->slot), 0);
}

/* ---- what earlier boots have left */

static void load_cached(struct tier *t, unsigned level, const uint8_t *key,
                        const struct entry *entry, const uint8_t *mod) {
    struct fluid_error err;
    struct loaded_module *m = module_load_aside(mod, entry->mod_size, cpu_info()->features, &err);
    void *code = m ? module_export(m, t->slot->name) : NULL;
    if (code) {
        tier_use(t, m, code, level);
        t->from_cache = true;
        t->cycles_t0 = entry->cycles_before;
        t->cycles = entry->cycles_after;
        return;
    }
    if (m)
        fluid_fail(&err, "E-JIT-38",
                   "entry point %s expected in a cached module, found none; it is "
                   "not used again",
                   t->slot->name);
    jit_warn(&err);
    tier_discard(m);
    if (!jit_lacks(&err))
        entry_quarantine(key);
}

/* What the cache has for a level. */
struct look_up {
    uint8_t key[CACHE_KEY_SIZE];
    bool known; /* the key: somebody compiles or has done so, and there is something to compile */
    bool found;
    unsigned against; /* level of the code that it was no faster than; 0: T0, or in quarantine */
};

static struct look_up look_at(struct tier *t, unsigned level) {
    struct look_up l = {0};
    struct jit_job job;
    struct entry entry = {0};
    uint8_t *mod = NULL;
    l.known = tier_job(t, level, &job) && entry_key(&job, t->slot->rows, t->slot->cols, l.key);
    if (!l.known)
        return l;
    l.found = entry_read(l.key, &entry, &mod) != ENTRY_ABSENT;
    if (mod)
        load_cached(t, level, l.key, &entry, mod);
    else
        l.against = entry.level_before;
    kfree(mod);
    return l;
}

/* The best code that is there, and what has been decided already: what was no faster than code that
 * is gone is not. */
static void look_up(struct tier *t) {
    struct look_up l[JIT_LEVEL_MAX + 1] = {0};
    bool found = false;
    unsigned level = JIT_LEVEL_MAX;
    for (; level > 0 && t->level == 0; level--) {
        l[level] = look_at(t, level);
        found |= l[level].found;
    }
    for (level = JIT_LEVEL_MAX; level > 0; level--)
        if (l[level].found && l[level].against <= t->level && t->tried < level)
            t->tried = level;
    if (!found && l[1].known)
        entry_missed(l[1].key);
}

/* ---- slots */

static struct tier *find(const struct fluid_slot *slot) {
    struct tier *t = tiers;
    while (t && t->slot != slot)
        t = t->next;
    return t;
}

/* Calls of the other operations cannot be taken down (modules/trial); benchmarks tell themselves
 * whether what they have done is right. */
static bool can_be_tried(const struct fluid_slot *slot) {
    static const char *const kinds[] = {"matmul_",  "row_",      "quantize_", "rmsnorm", "rope",
                                        "store_kv", "attention", "swiglu",    "add",     "bench_"};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(slot->name, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

static bool paused;

bool tier_paused(void) {
    return paused;
}

static void pause(struct tier *t) {
    tier_attempt_abandon(t);
    t->ahead = t->slot->ahead;
    t->piece_work = t->slot->piece_work;
    slot_reset_knobs(t->slot);
    t->slot->code = slot_base(t->slot);
}

static void resume(struct tier *t) {
    void *own = t->module ? module_export(t->module, t->slot->name) : NULL;
    t->slot->code = own ? own : slot_base(t->slot);
    t->slot->ahead = t->ahead;
    t->slot->piece_work = t->piece_work;
}

void tier_pause(bool wanted) {
    for (struct tier *t = tiers; t && wanted != paused; t = t->next)
        (wanted ? pause : resume)(t);
    paused = wanted;
}

static void refresh(struct tier *t) {
    struct jit_job job;
    t->stale = false;
    t->has_bitcode = tier_job(t, 1, &job);
    t->tried = t->knob = 0;
    t->cycles_t0 = t->cycles = t->retry_calls = t->saved = 0;
    look_up(t);
    t->tuned = tune_recall(t->slot);
    if (paused)
        pause(t);
}

static void made(struct fluid_slot *slot) {
    struct tier *t = can_be_tried(slot) ? kzalloc(sizeof *t) : NULL;
    if (!t)
        return; /* or no memory: it keeps the code that it has */
    t->slot = slot;
    t->next = tiers;
    tiers = t;
    refresh(t);
}

void tier_look_up(void) {
    for (struct tier *t = tiers; t; t = t->next)
        if (t->tried == 0)
            look_up(t);
}

/* What was made of the old module's bitcode is not the new one's, which is not in its place yet:
 * the task finds out what there is for it. */
static void moved(struct fluid_slot *slot) {
    struct tier *t = find(slot);
    if (!t)
        return;
    tier_attempt_abandon(t);
    tier_drop(t);
    slot_reset_knobs(slot);
    t->ahead = slot->ahead;
    t->piece_work = slot->piece_work;
    t->stale = true;
}

void tier_refresh(void) {
    for (struct tier *t = tiers; t; t = t->next)
        if (t->stale)
            refresh(t);
}

/* ---- faults */

static struct tier *tier_of(const struct loaded_module *m) {
    struct tier *t = tiers;
    while (t && t->module != m)
        t = t->next;
    return t;
}

/* Code that is being measured against it would be told as better than what is no more. */
static void condemn(struct tier *t, const char *reason) {
    struct jit_job job;
    uint8_t key[CACHE_KEY_SIZE];
    unsigned level = t->level;
    tier_attempt_abandon(t); /* its incumbent is what has faulted */
    if (tier_job(t, level, &job) && entry_key(&job, t->slot->rows, t->slot->cols, key))
        entry_quarantine(key);
    ksnprintf(t->reason, sizeof t->reason, "%s", reason);
    t->rejected++;
    tier_event(t, tier_level_name(level), t->reason, NULL, 0);
    tier_drop(t);
}

bool tier_blame(const struct trap_fault *fault) {
    for (size_t i = 0; i < fault->count; i++) {
        const struct loaded_module *m = module_at(fault->trace[i]);
        if (!m)
            continue;
        if (tier_attempt_blame(m))
            return true; /* a candidate, or who takes calls down for one */
        struct tier *t = tier_of(m);
        if (t)
            condemn(t, "fault");
        return t != NULL;
    }
    return false;
}

bool tier_blame_slot(const struct fluid_slot *slot, const void *code) {
    struct tier *t = find(slot);
    if (!t || code == slot_base(slot))
        return false;
    if (!tier_attempt_blame_slot(slot, code) && t->module &&
        code == module_export(t->module, slot->name))
        condemn(t, "differs");
    return true; /* or code that is gone already */
}

void tier_watch_slots(void) {
    static const struct slot_watcher watcher = {.made = made, .moved = moved};
    slot_watch(&watcher);
}
