/* lookup.c - finds drafts in the text so far, and decides how long they are. */
#include "console/lookup.h"

#define RATE_INERTIA 8 /* a guess counts one part in so many */
#define TIME_INERTIA 8 /* and so does a time */
#define FINE 256       /* parts of a percent, so that averages do not sink by rounding */
#define RATE_FIRST 3   /* tenths; one more for each further token */

void lookup_begin(struct lookup *l, struct lookup_costs *costs) {
    *l = (struct lookup){
        .costs = costs,
        .saved = LOOKUP_ADVANCE * LOOKUP_ALLOWANCE,
        .advance = LOOKUP_ADVANCE,
    };
    for (uint32_t i = 0; i < LOOKUP_LENGTHS; i++)
        l->rate[i] = LOOKUP_RATE_ONE * (RATE_FIRST + i) / 10;
}

static uint32_t cost(const struct lookup *l) {
    uint32_t more = l->costs->more / FINE;

    if (l->costs->more == 0)
        return LOOKUP_COST;
    if (more < LOOKUP_COST_MIN)
        return LOOKUP_COST_MIN;
    return more < LOOKUP_COST_MAX ? more : LOOKUP_COST_MAX;
}

/* Tokens, at most LOOKUP_MAX, in which the texts before a and b agree; a < b. */
static uint32_t common(const int32_t *ids, uint32_t a, uint32_t b) {
    uint32_t n = 0;

    while (n < LOOKUP_MAX && n < a && ids[a - 1 - n] == ids[b - 1 - n])
        n++;
    return n;
}

uint32_t lookup_find(const int32_t *ids, uint32_t count, uint32_t *behind) {
    uint32_t longest = LOOKUP_MIN - 1;

    for (uint32_t at = count; at-- > LOOKUP_MIN && longest < LOOKUP_MAX;) {
        uint32_t n = common(ids, at, count);

        if (n <= longest)
            continue;
        longest = n;
        *behind = at;
    }
    return longest < LOOKUP_MIN ? 0 : longest;
}

static uint32_t *rate_of(struct lookup *l, uint32_t matched) {
    return &l->rate[(matched < LOOKUP_MAX ? matched : LOOKUP_MAX) - LOOKUP_MIN];
}

/* A token is drafted if it is likely enough that it and all before it are right, and if they could
 * all be wrong without more being lost than is allowed. */
static uint32_t worth(struct lookup *l, uint32_t room) {
    const uint32_t likely = LOOKUP_RATE_ONE * cost(l) / LOOKUP_MARGIN;
    const uint32_t affordable = l->saved > 0 ? (uint32_t)l->saved / cost(l) : 0;
    uint32_t chance = LOOKUP_RATE_ONE, n = 0;

    if (room > LOOKUP_DRAFT_MAX)
        room = LOOKUP_DRAFT_MAX;
    if (room > affordable)
        room = affordable;
    while (n < room) {
        chance = chance * *rate_of(l, l->matched + n) / LOOKUP_RATE_ONE;
        if (chance < likely)
            break;
        n++;
    }
    return n;
}

uint32_t lookup_draft(struct lookup *l, int32_t *ids, uint32_t count, uint32_t room) {
    uint32_t behind = 0;

    l->left = 0;
    l->matched = lookup_find(ids, count, &behind);
    if (l->matched == 0)
        return 0;
    l->left = worth(l, room);
    l->drafted += l->left;
    /* Where the text repeats itself, guesses are made from guesses. */
    for (uint32_t i = 0; i <= l->left; i++)
        ids[count + i] = ids[behind + i];
    return l->left;
}

static void save(struct lookup *l, int32_t time) {
    l->saved = l->saved + time < LOOKUP_SAVED_MAX ? l->saved + time : LOOKUP_SAVED_MAX;
}

static uint64_t average(uint64_t of, uint64_t value) {
    return of == 0 ? value : (of * (TIME_INERTIA - 1) + value) / TIME_INERTIA;
}

static uint64_t lesser(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A step that took much longer was interrupted. */
static void took_step(struct lookup_costs *costs, uint64_t cycles) {
    costs->step = average(costs->step, costs->step == 0 ? cycles : lesser(cycles, 2 * costs->step));
}

/* No batch is faster than a step, and drafts cost no more than evaluating them one by one: what
 * took longer was something else. */
void lookup_took(struct lookup *l, uint32_t drafts, uint64_t cycles) {
    struct lookup_costs *costs = l->costs;
    uint64_t more = (uint64_t)LOOKUP_COST * FINE; /* of each draft */

    if (drafts == 0) {
        took_step(costs, cycles);
        return;
    }
    if (costs->step != 0 && cycles != 0) {
        costs->step = lesser(costs->step, cycles);
        more = lesser(cycles - costs->step, drafts * costs->step) * LOOKUP_STEP * FINE /
               (drafts * costs->step);
        costs->more = (uint32_t)average(costs->more, more > 0 ? more : 1);
    }
    l->saved -= (int32_t)(drafts * more / FINE);
}

static void allow(struct lookup *l) {
    if (l->advance > 0)
        l->advance--;
    else
        save(l, LOOKUP_ALLOWANCE);
}

bool lookup_compare(struct lookup *l, int32_t guess, int32_t id) {
    uint32_t *rate;

    allow(l);
    if (l->matched == 0)
        return false;
    rate = rate_of(l, l->matched++);
    if (guess != id) {
        *rate -= *rate / RATE_INERTIA;
        return false;
    }
    *rate += (LOOKUP_RATE_ONE - *rate) / RATE_INERTIA;
    if (l->left == 0)
        return false;
    l->left--;
    l->accepted++;
    save(l, LOOKUP_STEP);
    return true;
}
