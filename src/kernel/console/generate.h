/* generate.h - evaluating prompts and streaming tokens: what chat and /complete have in common. */
#ifndef KERNEL_CONSOLE_GENERATE_H
#define KERNEL_CONSOLE_GENERATE_H

#include <stdint.h>

#include "fluid/engine.h"

enum generate_reason {
    GENERATE_EOG,
    GENERATE_LENGTH,
    GENERATE_CONTEXT,
    GENERATE_CANCEL,
    GENERATE_ERROR,
};

struct generation {
    int32_t *ids;      /* (capacity,) tokens of the sequence; generated ones are appended */
    uint32_t count;    /* tokens in ids */
    uint32_t capacity; /* context length */
    uint32_t max_new;  /* 0: no limit */
    bool text_start;   /* the first generated token begins a text (nothing but BOS before it) */
    const struct llama_sampling *sampling;
};

/* Evaluates ids from the engine's position on, then samples, streams and appends tokens until one of the
 * reasons; emits `token` events and the closing `done` event. The end-of-generation token is appended
 * too. An engine error is reported and returns GENERATE_ERROR without a `done` event. */
enum generate_reason generate(struct generation *g);
#endif
