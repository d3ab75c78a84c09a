/* tune.c - the candidates, and their results in the cache. */
#include "jit/tune.h"

#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "cache/cache_key.h"
#include "fluid/tensor.h"
#include "jit/entry.h"
#include "jit/tier_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"

#define PLAN_SIZE 224u

/* Steps of one or two powers of two to both sides of what the code does by itself (packed.h,
 * share.c), and nothing at all. */
static const uint32_t aheads[] = {AHEAD_NONE, 1024, 2048, 8192, 16384};
static const uint32_t pieces[] = {1u << 17, 1u << 18, 1u << 20, 1u << 21};

#define AHEADS (sizeof aheads / sizeof *aheads)
#define PIECES (sizeof pieces / sizeof *pieces)

/* A single core takes pieces only to look at the console in between. */
static unsigned steps_of(const struct fluid_slot *slot) {
    if (!tier_is_product(slot))
        return 0;
    return cores_count() > 1 ? AHEADS + PIECES : AHEADS;
}

bool tune_candidate(const struct fluid_slot *slot, unsigned *step, struct way *way,
                    char text[TUNE_TEXT_SIZE]) {
    const unsigned steps = steps_of(slot);
    if (*step < AHEADS && *step < steps && aheads[*step] == slot->ahead)
        ++*step;
    if (*step >= steps)
        return false;
    *way = way_of(slot);
    if (*step < AHEADS) {
        way->ahead = aheads[*step];
        ksnprintf(text, TUNE_TEXT_SIZE, way->ahead == AHEAD_NONE ? "ahead=none" : "ahead=%u",
                  way->ahead);
    } else {
        way->piece_work = pieces[*step - AHEADS];
        ksnprintf(text, TUNE_TEXT_SIZE, "piece=%u", way->piece_work);
    }
    return true;
}

/* ---- the cache */

struct knobs {
    uint32_t version;
    uint32_t ahead, piece_work;
    uint32_t reserved;
};

#define KNOBS_VERSION 1u

/* By the sources of the operation and the number of cores, whoever has compiled it. */
static bool key_of(const struct fluid_slot *slot, uint8_t key[CACHE_KEY_SIZE]) {
    const struct loaded_module *m = module_of_export(slot->name);
    char plan[PLAN_SIZE];
    if (!m)
        return false;
    size_t at = (size_t)ksnprintf(plan, sizeof plan, "%s knobs", slot->name);
    at += entry_plan_machine(m, plan + at, sizeof plan - at);
    at += (size_t)ksnprintf(plan + at, sizeof plan - at, " cores=%u source=", cores_count());
    for (unsigned i = 0; i < MOD_SOURCE_SIZE && at + 3 <= sizeof plan; i++)
        at += (size_t)ksnprintf(plan + at, sizeof plan - at, "%02x", module_source(m)[i]);
    const struct cache_key_fields f = {
        .kernel_abi = FLUID_KERNEL_ABI,
        .cpu_mask = cpu_info()->features,
        .xcr0 = cpu_info()->xcr0,
        .toolchain = "",
        .flags = "",
        .plan = plan,
        .rows = slot->rows,
        .cols = slot->cols,
        .quant = entry_quant(slot->name),
    };
    cache_key(&f, key);
    return true;
}

void tune_keep(const struct fluid_slot *slot, uint64_t benefit) {
    const struct knobs knobs = {KNOBS_VERSION, slot->ahead, slot->piece_work, 0};
    uint8_t key[CACHE_KEY_SIZE];
    if (key_of(slot, key))
        entry_put_bytes(ENTRY_KNOBS, key, &knobs, sizeof knobs, benefit);
}

bool tune_recall(struct fluid_slot *slot) {
    struct knobs knobs;
    uint8_t key[CACHE_KEY_SIZE];
    if (!tier_is_product(slot) || !key_of(slot, key) ||
        !entry_get_bytes(ENTRY_KNOBS, key, &knobs, sizeof knobs) || knobs.version != KNOBS_VERSION)
        return false;
    slot->ahead = knobs.ahead;
    slot->piece_work = knobs.piece_work;
    return true;
}
