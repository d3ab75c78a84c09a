/* measure.c - blocks of calls, their medians, and the verdict. */
#include "jit/measure.h"

#include <stddef.h>

#include "lib/string.h"

#define SAMPLES (MEASURE_BLOCK - 1)

static struct measure *current; /* one at a time */

/* A B B A A B B A ... */
static unsigned side_of(uint32_t block) {
    return (block ^ block >> 1) & 1;
}

static void sort(uint64_t *values, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        uint32_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

static void end_block(struct measure *m) {
    sort(m->cycles, SAMPLES);
    m->median[side_of(m->block)][m->block / 2] = m->cycles[SAMPLES / 2];
    m->call = 0;
    m->block++;
    if (m->block == 2 * MEASURE_PAIRS) {
        m->slot->code = m->code[0];
        m->slot->called = NULL;
        m->done = true;
        return;
    }
    m->slot->code = m->code[side_of(m->block)];
}

static void called(struct fluid_slot *slot, uint64_t cycles) {
    struct measure *m = current;
    if (!m || m->slot != slot)
        return;
    if (m->call > 0)
        m->cycles[m->call - 1] = cycles;
    m->call++;
    if (m->call == MEASURE_BLOCK)
        end_block(m);
}

void measure_start(struct measure *m, struct fluid_slot *slot, void *incumbent, void *candidate) {
    *m = (struct measure){.slot = slot, .code = {incumbent, candidate}};
    current = m;
    slot->called = called;
}

void measure_stop(struct measure *m) {
    m->slot->called = NULL;
    m->slot->code = m->code[0];
    current = NULL;
}

static uint64_t median(const uint64_t *values) {
    uint64_t sorted[MEASURE_PAIRS];
    memcpy(sorted, values, sizeof sorted);
    sort(sorted, MEASURE_PAIRS);
    return (sorted[(MEASURE_PAIRS - 1) / 2] + sorted[MEASURE_PAIRS / 2]) / 2;
}

struct measured measure_result(const struct measure *m) {
    struct measured r = {median(m->median[0]), median(m->median[1]), 0, false};
    for (uint32_t i = 0; i < MEASURE_PAIRS; i++)
        r.wins += m->median[1][i] < m->median[0][i];
    /* Cycles of a call are far from 2^57. */
    r.faster = r.wins >= MEASURE_WINS && r.after * 100 <= r.before * (100 - MEASURE_MARGIN_PERCENT);
    return r;
}
