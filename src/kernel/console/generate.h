/* generate.h - evaluating prompts and streaming tokens: what chat and /complete have in common. */
#ifndef KERNEL_CONSOLE_GENERATE_H
#define KERNEL_CONSOLE_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "console/stop.h"
#include "fluid/engine.h"

struct generation {
    int32_t *ids;      /* (capacity,) tokens of the sequence; generated ones are appended */
    uint32_t count;    /* tokens in ids */
    uint32_t capacity; /* context length */
    uint32_t max_new;  /* 0: no limit */
    bool text_start;   /* the first generated token begins a text (nothing but BOS before it) */
    const struct llama_sampling *sampling;
    uint32_t repeat_last_n;          /* tokens that its repeat penalty looks back at */
    uint64_t draw;                   /* tells repeated replies to the same text apart */
    const struct stop_strings *stop; /* NULL: none */
    bool lookup;                     /* draft what followed the same tokens before (lookup.h) */
    /* Called when the context is full. true: ids and count are shorter now, and the engine's
     * position says from where on they have to be evaluated again. NULL: the reply ends. */
    bool (*make_room)(struct generation *g);
};

/* Evaluates ids from the engine's position on, then samples, streams and appends tokens until the
 * model ends, a stop string appears, max_new are made, the context is full or Ctrl-C; emits `token`
 * events and the closing `done` event. The end-of-generation token is appended too. After an engine
 * error the `error` event takes the place of `done`. Returns the number of generated tokens. */
uint32_t generate(struct generation *g);
#endif
