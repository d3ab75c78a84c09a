/* lookup_host.c - drafts by prompt lookup in a Linux process. Standard input is a text as ids, with
 * the number of those that are known at the start, the most drafts of a step, what each of them
 * costs, in percents of a step, how much more or less it may be, and how many of the first
 * evaluations take four times as long, in front:
 *
 *     lookup_host < "KNOWN ROOM COST SPREAD SLOW ID ..."
 *
 * The rest of the text is "sampled", step by step. One line for each step: tokens that agreed,
 * where the guesses come from, drafts, accepted of them, time saved; then one line of totals and of
 * what a draft is taken to cost, in 256th of a percent. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/lookup.h"

#define STEP_CYCLES 1000u

static int32_t *text;
static uint32_t length, cost, spread, slow;

static void read_text(void) {
    size_t room = 0;
    for (long id; scanf("%ld", &id) == 1;) {
        if (length == room)
            text = realloc(text, (room = 2 * room + 64) * sizeof *text);
        text[length++] = (int32_t)id;
    }
}

static uint64_t cycles(uint32_t drafts) {
    static uint32_t random = 1;
    uint64_t percent = cost;
    random = random * 1664525u + 1013904223u;
    percent += (random >> 16) % (2 * spread + 1);
    percent = percent < spread ? 0 : percent - spread;
    return (STEP_CYCLES + drafts * percent * STEP_CYCLES / 100) * (slow > 0 && slow-- ? 4 : 1);
}

/* An array of exactly the ids and guesses that may be written, for the sanitizer to watch. */
static uint32_t step(struct lookup *l, uint32_t count, uint32_t room) {
    uint32_t behind = 0, known = count, before = l->accepted;
    size_t size = (size_t)count + room + 1;
    int32_t *ids = malloc(size * sizeof *ids);
    memcpy(ids, text, count * sizeof *ids);
    for (size_t i = count; i < size; i++)
        ids[i] = -1; /* no guess is taken from here */
    uint32_t matched = lookup_find(ids, count, &behind);
    uint32_t drafts = lookup_draft(l, ids, count, room);
    lookup_took(l, drafts, cycles(drafts));
    while (known < length && lookup_compare(l, ids[known], text[known]))
        known++;
    free(ids);
    printf("%u %u %u %u %d\n", matched, behind, drafts, l->accepted - before, l->saved);
    return known + 1;
}

int main(void) {
    struct lookup_costs costs = {0};
    struct lookup l;
    unsigned known, most;
    lookup_begin(&l, &costs);
    if (scanf("%u %u %u %u %u", &known, &most, &cost, &spread, &slow) != 5)
        return 2;
    read_text();
    for (uint32_t count = known; count < length;) {
        uint32_t left = length - count - 1;
        count = step(&l, count, left < most ? left : most);
    }
    printf("%u %u %u\n", l.drafted, l.accepted, costs.more);
    free(text);
    return 0;
}
