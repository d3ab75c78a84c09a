/* logits.h - comparing and weighing logits, which may be anything a damaged model makes of them. */
#ifndef LLAMA_LOGITS_H
#define LLAMA_LOGITS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define LOGIT_NEGLIGIBLE (-60.0) /* exp of it, times any vocabulary, vanishes in a double's sum */

/* Any number is better than NaN. */
static inline bool logit_better(float a, float b) {
    return a > b || (b != b && a == a);
}

/* Index of the largest logit, the lowest one among equals. */
static inline uint32_t logit_argmax(const float *logits, uint32_t vocab) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < vocab; i++)
        if (logit_better(logits[i], logits[best]))
            best = i;
    return best;
}

/* exp(scale * (logit - best)), 0 when negligible. */
static inline double logit_weight(float logit, float best, double scale) {
    double x = ((double)logit - (double)best) * scale;
    return x > LOGIT_NEGLIGIBLE ? exp(x) : 0;
}

#endif
