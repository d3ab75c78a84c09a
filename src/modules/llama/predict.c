/* predict.c - what the logits say: the best tokens, the normalising constant, a random choice. */
#include "mathlib.h"
#include "model.h"

#define MICRO 1e6
/* Non-finite and absurd values end here: a context full of them still sums up in 64 bits. */
#define MICRO_LIMIT 1e12
#define NEGLIGIBLE (-60.0) /* exp of this, times any vocabulary, vanishes in a double's sum */

static int64_t micro(double value) {
    double scaled = value * MICRO;
    if (!(scaled > -MICRO_LIMIT)) /* NaN too */
        return -(int64_t)MICRO_LIMIT;
    if (scaled > MICRO_LIMIT)
        return (int64_t)MICRO_LIMIT;
    return (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* Any number is better than NaN. */
static bool better(float a, float b) {
    return a > b || (b != b && a == a);
}

/* Index of the largest logit, the lowest one among equals. */
static uint32_t argmax(const float *logits, uint32_t vocab) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < vocab; i++)
        if (better(logits[i], logits[best]))
            best = i;
    return best;
}

/* exp(scale * (logit - best)), 0 when negligible. */
static double weight(float logit, float best, double scale) {
    double x = ((double)logit - (double)best) * scale;
    return x > NEGLIGIBLE ? math_exp(x) : 0;
}

static double sum_weights(const float *logits, uint32_t vocab, float best, double scale) {
    double sum = 0;
    for (uint32_t i = 0; i < vocab; i++)
        sum += weight(logits[i], best, scale);
    return sum;
}

/* The ENGINE_TOP best, in order; a vocabulary of fewer tokens fills up with VOCAB_NONE. */
static void find_top(const float *logits, uint32_t vocab, struct llama_prediction *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        uint32_t at = n < ENGINE_TOP ? n : ENGINE_TOP;
        while (at > 0 && better(logits[i], logits[out->top_id[at - 1]]))
            at--;
        if (at == ENGINE_TOP)
            continue;
        n += n < ENGINE_TOP;
        for (uint32_t k = n - 1; k > at; k--)
            out->top_id[k] = out->top_id[k - 1];
        out->top_id[at] = (int32_t)i;
    }
    for (uint32_t k = 0; k < ENGINE_TOP; k++) {
        out->top_logit[k] = k < n ? micro((double)logits[out->top_id[k]]) : micro(-MICRO_LIMIT);
        if (k >= n)
            out->top_id[k] = VOCAB_NONE;
    }
}

void predict(const float *logits, uint32_t vocab, int32_t next, struct llama_prediction *out) {
    find_top(logits, vocab, out);
    float best = logits[argmax(logits, vocab)];
    double sum = sum_weights(logits, vocab, best, 1);
    out->logsumexp = micro(sum > 0 ? (double)best + math_log(sum) : (double)best);
    out->next_logit = next >= 0 && (uint32_t)next < vocab ? micro((double)logits[next]) : 0;
}

/* A number in [0, 1) that depends on seed and position only, so that the same seed gives the same
 * text however it was computed. splitmix64, https://prng.di.unimi.it/splitmix64.c */
static double uniform(uint64_t seed, uint32_t pos) {
    uint64_t z = seed + (uint64_t)(pos + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) / 9007199254740992.0; /* 2^53 */
}

FLUID_EXPORT llama_sample_fn llama_sample;

int32_t llama_sample(struct llama_model *m, const struct llama_sampling *how) {
    const float *logits = m->last_logits;
    if (logits == NULL)
        fluid_panic("llama_sample without logits at position %u", m->pos);
    uint32_t best = argmax(logits, m->vocab.n);
    if (how->temperature_micro <= 0)
        return (int32_t)best;
    double scale = MICRO / (double)how->temperature_micro;
    double left = uniform(how->seed, m->pos) * sum_weights(logits, m->vocab.n, logits[best], scale);
    for (uint32_t i = 0; i < m->vocab.n; i++) {
        left -= weight(logits[i], logits[best], scale);
        if (left < 0)
            return (int32_t)i;
    }
    return (int32_t)best; /* rounding left a rest, or the logits are no numbers */
}
