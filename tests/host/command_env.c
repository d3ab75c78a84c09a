/* command_env.c - what the console's commands call, in a Linux process: a small model whose tokens
 * are bytes, a heap that can run out, and commands that do nothing. */
#include "command_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/chat.h"
#include "console/command.h"
#include "console/generate.h"
#include "console/model.h"
#include "mm/heap.h"

#define CTX 64
#define BATCH 8

unsigned long command_allocations = ~0ul;

static void require(bool condition) {
    if (!condition)
        abort();
}

static const struct model fake = {.info = {.ctx = CTX, .batch = BATCH, .vocab = 256}};

const struct model *model_required(void) {
    return &fake;
}

const struct model *model_current(void) {
    return &fake;
}

int64_t engine_tokenize(const char *text, size_t length, int32_t *ids, size_t max_ids,
                        struct fluid_error *e) {
    (void)e;
    for (size_t i = 0; i < length && i < max_ids; i++)
        ids[i] = (unsigned char)text[i];
    return (int64_t)length;
}

int engine_eval(const int32_t *ids, uint32_t n, uint32_t logits,
                struct llama_prediction *predictions, const int32_t *next, struct fluid_error *e) {
    (void)e;
    require(logits >= 1 && logits <= n && logits <= ENGINE_LOGITS);
    require(n > 0 && n <= BATCH && !predictions == !next);
    for (uint32_t i = 0; i < n; i++) {
        require(ids[i] >= 0 && ids[i] < 256);
        if (!next)
            continue;
        require(next[i] >= 0 && next[i] < 256);
        predictions[i] = (struct llama_prediction){.logsumexp = -ids[i], .next_logit = next[i]};
    }
    return 0;
}

bool engine_failed(struct fluid_error *e) {
    (void)e;
    return false;
}

void engine_rewind(uint32_t keep) {
    require(keep == 0);
}

int32_t engine_sample(const struct llama_sampling *how) {
    require(how->temperature_micro == 0 && how->recent_count == 0);
    return 'x';
}

uint32_t generate(struct generation *g) {
    require(g->count > 0 && g->count <= g->capacity && g->capacity == CTX && g->max_new > 0);
    for (uint32_t i = 0; i < g->count; i++)
        require(g->ids[i] >= 0 && g->ids[i] < 256);
    return 0;
}

void chat_cache_lost(void) {
}

void chat_draw_anew(void) {
}

uint32_t chat_length(void) {
    return 0;
}

uint64_t time_hz(void) {
    return 1000000000;
}

void chat_say(const char *text, size_t length) {
    require(length > 0 && text[0] != '/' && text[length] == 0);
}

void *kmalloc(size_t size) {
    if (command_allocations == 0)
        return NULL;
    command_allocations--;
    return malloc(size);
}

void kfree(void *memory) {
    free(memory);
}

/* Commands that only print. */
#define PRINTS(name)                                                                               \
    void name(char *argument, size_t length) {                                                     \
        require(argument[length] == 0);                                                            \
    }
PRINTS(command_help)
PRINTS(command_cpu)
PRINTS(command_mem)
PRINTS(command_bench)
PRINTS(command_cache)
PRINTS(command_jit)
PRINTS(command_uptime)
PRINTS(command_profile)
PRINTS(command_tasks)
PRINTS(command_ls)
PRINTS(command_pci)
PRINTS(command_load)
PRINTS(command_unload)
PRINTS(command_selftest)
PRINTS(command_clear)
PRINTS(command_regen)
PRINTS(command_reboot)
PRINTS(command_off)
