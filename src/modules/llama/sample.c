/* sample.c - picks the next token: repeat penalty, top-k, top-p, min-p, temperature, draw.
 *
 * The order is llama.cpp's. Candidates form a heap, from which the best are taken one by one: of a
 * vocabulary of 50,000 tokens rarely more than a few dozen have to be brought into order. */
#include "logits.h"
#include "model.h"

/* The vocabulary by rank: c[0 .. n - taken) is a heap, c[n - 1 - i] the i-th best already taken. */
struct ranking {
    struct candidate *c; /* (n,) */
    uint32_t n, taken;
};

/* Ties go to the lower id, so that the order is total. */
static bool precedes(struct candidate a, struct candidate b) {
    if (logit_better(a.logit, b.logit) || logit_better(b.logit, a.logit))
        return logit_better(a.logit, b.logit);
    return a.id < b.id;
}

static void sift_down(struct candidate *c, uint32_t n, uint32_t at) {
    struct candidate moving = c[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && precedes(c[child + 1], c[child]))
            child++;
        if (!precedes(c[child], moving))
            break;
        c[at] = c[child];
    }
    c[at] = moving;
}

static void heapify(struct candidate *c, uint32_t n) {
    for (uint32_t at = n / 2; at-- > 0;)
        sift_down(c, n, at);
}

/* The i-th best, i < n. */
static struct candidate ranked(struct ranking *r, uint32_t i) {
    while (r->taken <= i) {
        uint32_t last = r->n - ++r->taken;
        struct candidate best = r->c[0];
        r->c[0] = r->c[last];
        r->c[last] = best;
        sift_down(r->c, last, 0);
    }
    return r->c[r->n - 1 - i];
}

/* Each token once, however often it occurs among the recent ones: what was changed already differs
 * from its logit (a logit of 0 does not change at all). */
static void penalise(struct candidate *c, const float *logits, uint32_t vocab,
                     const struct llama_sampling *how) {
    float penalty = (float)how->repeat_penalty_micro / ENGINE_MICRO;
    for (uint32_t i = 0; i < how->recent_count; i++) {
        int32_t id = how->recent[i];
        if (id < 0 || (uint32_t)id >= vocab || c[id].logit != logits[id])
            continue;
        c[id].logit = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
    }
}

/* Sum of the weights of the `kept` best. */
static double sum_of_best(struct ranking *r, uint32_t kept, float best, double scale) {
    double sum = 0;
    for (uint32_t i = 0; i < kept; i++)
        /* The order does not matter for all of them. */
        sum += logit_weight(kept == r->n ? r->c[i].logit : ranked(r, i).logit, best, scale);
    return sum;
}

/* How many of the best remain after top-k, top-p and min-p; at least one. */
static uint32_t filter(struct ranking *r, const struct llama_sampling *how) {
    uint32_t kept = how->top_k > 0 && how->top_k < r->n ? how->top_k : r->n;
    bool top_p = how->top_p_micro > 0 && how->top_p_micro < ENGINE_MICRO;
    if (!top_p && how->min_p_micro <= 0)
        return kept;
    float best = ranked(r, 0).logit;
    double least = (double)how->min_p_micro / ENGINE_MICRO, so_far = 0;
    double enough = top_p ? sum_of_best(r, kept, best, 1) * how->top_p_micro / ENGINE_MICRO : r->n;
    for (uint32_t i = 0; i < kept; i++) {
        double weight = logit_weight(ranked(r, i).logit, best, 1); /* the best's is 1 */
        if (i > 0 && (so_far >= enough || weight < least))
            return i;
        so_far += weight;
    }
    return kept;
}

/* A number in [0, 1). splitmix64, https://prng.di.unimi.it/splitmix64.c, on a state that names the
 * draw: the same seed gives the same text however it was computed. */
static double uniform(uint64_t seed, uint64_t draw, uint32_t pos) {
    uint64_t z = seed + draw * 0xd1342543de82ef95u + (uint64_t)(pos + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) / 9007199254740992.0; /* 2^53 */
}

static int32_t draw(struct ranking *r, uint32_t kept, const struct llama_sampling *how,
                    uint32_t pos) {
    float best = ranked(r, 0).logit;
    double scale = (double)ENGINE_MICRO / (double)how->temperature_micro;
    double left = uniform(how->seed, how->draw, pos) * sum_of_best(r, kept, best, scale);
    for (uint32_t i = 0; i < kept; i++) {
        left -= logit_weight(ranked(r, i).logit, best, scale);
        if (left < 0)
            return ranked(r, i).id;
    }
    return ranked(r, 0).id; /* rounding left a rest, or the logits are no numbers */
}

FLUID_EXPORT llama_sample_fn llama_sample;

int32_t llama_sample(struct llama_model *m, const struct llama_sampling *how) {
    const uint32_t vocab = m->vocab.n;
    bool penalty = how->repeat_penalty_micro > 0 && how->repeat_penalty_micro != ENGINE_MICRO;
    if (how->back >= m->n_logits)
        fluid_panic("llama_sample without logits %u before position %u", how->back, m->pos);
    const float *logits = m->buffers.logits + (size_t)(m->n_logits - 1 - how->back) * vocab;
    if (how->temperature_micro <= 0 && !penalty)
        return (int32_t)logit_argmax(logits, vocab);
    struct ranking r = {.c = m->buffers.candidates, .n = vocab};
    for (uint32_t i = 0; i < vocab; i++)
        r.c[i] = (struct candidate){logits[i], (int32_t)i};
    if (penalty)
        penalise(r.c, logits, vocab, how);
    heapify(r.c, vocab);
    if (how->temperature_micro <= 0)
        return ranked(&r, 0).id;
    return draw(&r, filter(&r, how), how, m->pos - how->back);
}
