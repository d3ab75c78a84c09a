/* tier_plan.c - what is compiled for a slot, and when. */
#include <stddef.h>

#include "fluid/tensor.h"
#include "jit/tier_internal.h"
#include "lib/string.h"
#include "load/module.h"

/* A level for so many calls of a slot, or as many cycles as so many calls of CYCLES_OF_CALL take.
 */
static const uint64_t calls_of_level[] = {0, 100, 1000, 10000};
#define CYCLES_OF_CALL 100000u

unsigned tier_level_of(uint64_t calls, uint64_t cycles) {
    unsigned level = JIT_LEVEL_MAX;
    while (level > 0 && calls < calls_of_level[level] &&
           cycles / CYCLES_OF_CALL < calls_of_level[level])
        level--;
    return level;
}

/* The slot of attention has head_dim as its shape. More to compile, so only at the last level. */
static void add_constants(const struct fluid_slot *slot, struct jit_job *job) {
    if (job->level < JIT_LEVEL_MAX || strcmp(slot->name, "attention") != 0 || slot->cols == 0)
        return;
    job->constants[job->constant_count++] = (struct jit_constant){
        .entry = 0,
        .argument = 0,
        .field_off = offsetof(struct attention_args, head_dim),
        .size = sizeof(uint32_t),
        .value = slot->cols,
    };
}

bool tier_is_product(const struct fluid_slot *slot) {
    return strncmp(slot->name, "matmul_", strlen("matmul_")) == 0;
}

bool tier_checks_itself(const struct fluid_slot *slot) {
    return strncmp(slot->name, "bench_", strlen("bench_")) == 0;
}

bool tier_job(const struct tier *tier, unsigned level, struct jit_job *job) {
    size_t size;
    *job = (struct jit_job){
        .module = module_of_export(tier->slot->name),
        .entry = tier->slot->name,
        .level = level,
    };
    add_constants(tier->slot, job);
    return job->module && module_bitcode(job->module, &size);
}
