/* lookup.h - prompt lookup: what followed when the last tokens of the text occurred before may
 * follow again. Such a draft is evaluated in one batch with the last token and kept as far as it
 * equals what is sampled, so it changes the time that a reply takes and nothing else.
 *
 * Times are percents of a step, which is the evaluation of one token. What one more token in a
 * batch costs depends on the processor and the model: it is measured. */
#ifndef KERNEL_CONSOLE_LOOKUP_H
#define KERNEL_CONSOLE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOKUP_MIN 2       /* tokens that must agree for a text to have occurred before */
#define LOOKUP_MAX 8       /* more of them tell nothing more */
#define LOOKUP_DRAFT_MAX 7 /* tokens: with the one before them a batch of ENGINE_LOGITS */
#define LOOKUP_LENGTHS (LOOKUP_MAX - LOOKUP_MIN + 1)

#define LOOKUP_RATE_ONE 1024 /* rates: a guess is always right */
#define LOOKUP_STEP 100      /* a step */
#define LOOKUP_COST 20       /* of one more token in a batch, before anything was measured */
#define LOOKUP_COST_MIN 4    /* what is taken to be the least */
#define LOOKUP_COST_MAX 60   /* and the most: a draft must be right in three of four cases */
#define LOOKUP_MARGIN 80     /* drafted is what is right 100 times where it pays from 80 on */
#define LOOKUP_ALLOWANCE 3   /* of each generated token may be lost */
#define LOOKUP_ADVANCE 20    /* tokens whose allowance is there from the beginning */
#define LOOKUP_SAVED_MAX 800 /* what was saved long ago is not put at risk */

/* Of all replies of a model. */
struct lookup_costs {
    uint64_t step; /* cycles of a step, moving average; 0: unknown */
    uint32_t more; /* of one more token in a batch, in 256th of a percent; 0: unknown */
};

/* Of one reply. */
struct lookup {
    struct lookup_costs *costs;
    uint32_t rate[LOOKUP_LENGTHS]; /* moving average of right guesses, by tokens that agreed */
    int32_t saved;                 /* time: allowance and what drafts saved, less what they cost */
    uint32_t advance;              /* tokens to come that bring no allowance */
    uint32_t matched;              /* tokens that agreed before the next guess; 0: there is none */
    uint32_t left;                 /* drafts that were not compared yet */
    uint32_t drafted, accepted;    /* tokens so far */
};

/* A reply begins. Guesses are taken to be as good as they are in texts that repeat parts of others:
 * right in three of ten cases where two tokens agree, in one more for each further one. */
void lookup_begin(struct lookup *l, struct lookup_costs *costs);

/* Tokens, LOOKUP_MIN to LOOKUP_MAX, at the end of ids (count,) that occurred before: as many as
 * possible, where they did so last; ids[*behind], *behind < count, followed. 0: none did. */
uint32_t lookup_find(const int32_t *ids, uint32_t count, uint32_t *behind);

/* Writes guesses behind ids (count,): as many drafts as are worth it, at most room, and one more,
 * which is only compared and tells how good guesses are; ids has room for all. Returns the number
 * of drafts. */
uint32_t lookup_draft(struct lookup *l, int32_t *ids, uint32_t count, uint32_t room);

/* So many drafts and the token before them took so many cycles: learns from it, and charges them.
 */
void lookup_took(struct lookup *l, uint32_t drafts, uint64_t cycles);

/* Compares a guess with the token that was sampled in its place. True: it was a draft and right, so
 * that the token behind it can be sampled, too. Called for each token of a reply that goes on. */
bool lookup_compare(struct lookup *l, int32_t guess, int32_t id);
#endif
