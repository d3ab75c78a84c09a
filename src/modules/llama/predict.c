/* predict.c - what the logits say: the best tokens and the normalising constant. */
#include <math.h>
#include <string.h>

#include "logits.h"
#include "model.h"

/* Non-finite and absurd values end here: a context full of them still sums up in 64 bits. */
#define MICRO_LIMIT 1e12

static int64_t micro(double value) {
    double scaled = value * ENGINE_MICRO;
    if (!(scaled > -MICRO_LIMIT)) /* NaN too */
        return -(int64_t)MICRO_LIMIT;
    if (scaled > MICRO_LIMIT)
        return (int64_t)MICRO_LIMIT;
    return (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

static double sum_weights(const float *logits, uint32_t vocab, float best, double scale) {
    double sum = 0;
    for (uint32_t i = 0; i < vocab; i++)
        sum += logit_weight(logits[i], best, scale);
    return sum;
}

/* The ENGINE_TOP best, in order; a vocabulary of fewer tokens fills up with VOCAB_NONE. */
static void find_top(const float *logits, uint32_t vocab, struct llama_prediction *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        uint32_t at = n < ENGINE_TOP ? n : ENGINE_TOP;
        while (at > 0 && logit_better(logits[i], logits[out->top_id[at - 1]]))
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

/* A step of FNV-1a with a rotation for each word, so that its high bits have a part in the low
 * ones. */
static uint32_t digest(const float *logits, uint32_t vocab) {
    uint32_t hash = 0x811c9dc5u;
    for (uint32_t i = 0; i < vocab; i++) {
        uint32_t bits;
        memcpy(&bits, &logits[i], sizeof(bits));
        hash = ((hash << 5 | hash >> 27) ^ bits) * 0x01000193u;
    }
    return hash;
}

void predict(const float *logits, uint32_t vocab, int32_t next, struct llama_prediction *out) {
    find_top(logits, vocab, out);
    float best = logits[logit_argmax(logits, vocab)];
    double sum = sum_weights(logits, vocab, best, 1);
    out->logsumexp = micro(sum > 0 ? (double)best + log(sum) : (double)best);
    out->next_logit = next >= 0 && (uint32_t)next < vocab ? micro((double)logits[next]) : 0;
    out->digest = digest(logits, vocab);
}
