/* profile.c - records of calls. */
#include "prof/profile.h"

#include "lib/string.h"
#include "load/module.h"
#include "mm/heap.h"

#define NO_CALLER "kernel"

static struct profile *profiles; /* newest first */

static bool is(const struct profile *p, const struct loaded_module *module, const char *function,
               uint32_t rows, uint32_t cols) {
    return p->rows == rows && p->cols == cols && strcmp(p->function, function) == 0 &&
           strcmp(p->module, module_name(module)) == 0 &&
           strcmp(p->target, module_target(module)) == 0 &&
           memcmp(p->source, module_source(module), sizeof(p->source)) == 0;
}

struct profile *profile_get(const struct loaded_module *module, const char *function, uint32_t rows,
                            uint32_t cols) {
    size_t size = strlen(function) + 1;
    struct profile *p = profiles;

    while (p && !is(p, module, function, rows, cols))
        p = p->next;
    if (p)
        return p;
    p = kzalloc(sizeof(*p) + size);
    if (!p)
        return NULL;
    memcpy(p->module, module_name(module), sizeof(p->module));
    memcpy(p->target, module_target(module), sizeof(p->target));
    memcpy(p->source, module_source(module), sizeof(p->source));
    memcpy(p->caller, NO_CALLER, sizeof(NO_CALLER));
    memcpy(p->function, function, size);
    p->rows = rows;
    p->cols = cols;
    p->next = profiles;
    profiles = p;
    return p;
}

void profile_set_caller(struct profile *profile, const char caller[MOD_NAME_SIZE]) {
    if (profile->calls == 0)
        memcpy(profile->caller, caller, sizeof(profile->caller));
}

unsigned profile_bucket(uint64_t cycles) {
    unsigned power;

    if (cycles < PROFILE_PARTS)
        return (unsigned)cycles;
    power = 63 - (unsigned)__builtin_clzll(cycles);
    if (power >= PROFILE_POWERS)
        return PROFILE_BUCKETS - 1;
    return (power - PROFILE_FINE) * PROFILE_PARTS + (unsigned)(cycles >> (power - PROFILE_FINE));
}

uint64_t profile_bucket_start(unsigned bucket) {
    unsigned shift = bucket / PROFILE_PARTS;

    if (shift <= 1)
        return bucket;
    return (uint64_t)(PROFILE_PARTS + bucket % PROFILE_PARTS) << (shift - 1);
}

void profile_add(struct profile *profile, uint64_t cycles) {
    if (!profile)
        return;
    if (profile->calls == 0 || cycles < profile->min)
        profile->min = cycles;
    if (cycles > profile->max)
        profile->max = cycles;
    profile->calls++;
    profile->cycles += cycles;
    profile->bucket[profile_bucket(cycles)]++;
    profile->bucket_cycles[profile_bucket(cycles)] += cycles;
}

uint64_t profile_median(const struct profile *profile) {
    uint64_t before = 0;
    unsigned i = 0;

    if (profile->calls == 0)
        return 0;
    while (i < PROFILE_BUCKETS - 1 && (before + profile->bucket[i]) * 2 < profile->calls)
        before += profile->bucket[i++];
    return profile->bucket_cycles[i] / profile->bucket[i];
}

void profile_for_each(void (*visit)(const struct profile *profile, void *context), void *context) {
    for (const struct profile *p = profiles; p; p = p->next)
        visit(p, context);
}

void profile_reset(void) {
    for (struct profile *p = profiles; p; p = p->next) {
        p->calls = p->cycles = p->min = p->max = 0;
        memset(p->bucket, 0, sizeof(p->bucket));
        memset(p->bucket_cycles, 0, sizeof(p->bucket_cycles));
    }
}
