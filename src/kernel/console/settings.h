/* settings.h - what /set changes and /show prints. */
#ifndef KERNEL_CONSOLE_SETTINGS_H
#define KERNEL_CONSOLE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "console/stop.h"
#include "fluid/engine.h"

#define SETTINGS_SYSTEM_MAX 4096

struct settings {
    struct llama_sampling sampling; /* without `recent` and `draw`, which belong to a reply */
    uint32_t repeat_last_n;         /* tokens that the repeat penalty looks back at */
    uint32_t max_tokens;            /* per reply; 0: until the model ends or the context is full */
    char system[SETTINGS_SYSTEM_MAX]; /* system message of the next conversation */
    bool system_set;                  /* false: the model's default */
    struct stop_strings stop;         /* end a reply where one of them appears */
    bool shift;  /* a full context: the oldest turns are forgotten instead of an error */
    bool lookup; /* tokens that a text repeats are drafted */
};

const struct settings *settings_current(void);
#endif
