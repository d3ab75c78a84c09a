/* measure.c - blocks of calls, their lower quartiles, and the verdict. */
#include "jit/measure.h"

#include <stddef.h>

#include "lib/string.h"

static struct measure *measures; /* that are going on, each of another slot */

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
    uint32_t samples = m->block_calls - MEASURE_SKIPPED;
    sort(m->cycles, samples);
    m->low[side_of(m->block)][m->block / 2] = m->cycles[samples / 4];
    m->call = 0;
    m->block++;
    m->done = m->block == 2 * MEASURE_PAIRS;
    way_take(m->slot, m->way[m->done ? 0 : side_of(m->block)]);
}

static void called(struct fluid_slot *slot, uint64_t cycles) {
    struct measure *m = measures;
    while (m && m->slot != slot)
        m = m->next;
    if (!m || m->done)
        return;
    if (m->block == 0 && m->call == MEASURE_SKIPPED && cycles > MEASURE_LONG)
        m->block_calls = MEASURE_BLOCK_LONG;
    if (m->call >= MEASURE_SKIPPED)
        m->cycles[m->call - MEASURE_SKIPPED] = cycles;
    m->call++;
    if (m->call == m->block_calls)
        end_block(m);
}

struct way way_of(const struct fluid_slot *slot) {
    return (struct way){slot->code, slot->ahead, slot->piece_work};
}

void way_take(struct fluid_slot *slot, struct way way) {
    slot->code = way.code;
    slot->ahead = way.ahead;
    slot->piece_work = way.piece_work;
}

void measure_start(struct measure *m, struct fluid_slot *slot, struct way incumbent,
                   struct way candidate) {
    *m = (struct measure){
        .next = measures,
        .slot = slot,
        .way = {incumbent, candidate},
        .block_calls = MEASURE_BLOCK,
    };
    measures = m;
    slot->called = called;
}

void measure_stop(struct measure *m) {
    struct measure **at = &measures;
    while (*at && *at != m)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = m->next;
    m->slot->called = NULL;
    if (m->slot->code == m->way[1].code)
        way_take(m->slot, m->way[0]);
}

/* after / before, times 2^20. */
static uint64_t ratio(uint64_t before, uint64_t after) {
    while ((before | after) >> 40)
        before >>= 8, after >>= 8;
    return (after << 20) / (before + !before);
}

/* The pair of blocks whose ratio is in the middle: the greater of two. */
static uint32_t middle(const struct measure *m) {
    uint32_t order[MEASURE_PAIRS];
    for (uint32_t i = 0; i < MEASURE_PAIRS; i++) {
        uint32_t at = i;
        uint64_t value = ratio(m->low[0][i], m->low[1][i]);
        for (; at > 0 && ratio(m->low[0][order[at - 1]], m->low[1][order[at - 1]]) > value; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order[MEASURE_PAIRS / 2];
}

/* Pairs whose blocks are of different work: one of a prompt, the other of single tokens. */
static uint32_t spoiled(const struct measure *m, uint64_t usual) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < MEASURE_PAIRS; i++) {
        uint64_t r = ratio(m->low[0][i], m->low[1][i]);
        count += r > 2 * usual || r < usual / 2;
    }
    return count;
}

struct measured measure_result(const struct measure *m) {
    const uint32_t pair = middle(m);
    struct measured r = {.before = m->low[0][pair], .after = m->low[1][pair]};
    for (uint32_t i = 0; i < MEASURE_PAIRS; i++)
        r.wins += m->low[1][i] < m->low[0][i];
    /* Cycles of a call are far from 2^57. */
    r.faster = r.wins >= MEASURE_WINS && r.after * 100 <= r.before * (100 - MEASURE_MARGIN_PERCENT);
    r.again = !r.faster && spoiled(m, ratio(r.before, r.after)) >= MEASURE_SPOILED;
    return r;
}

struct measured measure_with_several(struct measured m, const uint64_t several[2]) {
    const uint64_t before = several[0], after = several[1];
    const bool as_fast = m.after * 100 <= m.before * (100 + MEASURE_MARGIN_PERCENT);
    if (before == 0)
        return m;
    if (m.faster && after * 100 > before * (100 + MEASURE_MARGIN_PERCENT))
        m.faster = false;
    else if (!m.faster && as_fast && after * 100 <= before * (100 - MEASURE_SEVERAL_PERCENT))
        m = (struct measured){.before = before, .after = after, .faster = true};
    return m;
}
