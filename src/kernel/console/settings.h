/* settings.h - what /set changes and /show prints. */
#ifndef KERNEL_CONSOLE_SETTINGS_H
#define KERNEL_CONSOLE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "fluid/engine.h"

#define SETTINGS_SYSTEM_MAX 4096

struct settings {
    struct llama_sampling sampling;
    uint32_t max_tokens; /* per reply; 0: until the model ends or the context is full */
    char system[SETTINGS_SYSTEM_MAX]; /* system message of the next conversation */
    bool system_set;                  /* false: the model's default */
};

const struct settings *settings_current(void);
#endif
