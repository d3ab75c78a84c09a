/* command_speed.c - /speed: how long the model takes for so many tokens, without text. Ids of the
 * prompt are made up: what they are changes nothing about the work, but for one row of the
 * embedding. From an empty KV cache; the chat is left untouched. */
#include "console/command.h"

#include "arch/x86/time.h"
#include "console/chat.h"
#include "console/event.h"
#include "console/model.h"
#include "console/number.h"
#include "fluid/engine.h"
#include "lib/printf.h"
#include "mm/heap.h"

#define NS_PER_SECOND 1000000000u
#define MS_PER_SECOND 1000u
#define SPREAD 7919u /* prime: neighbours lie far apart */

/* How many tokens, and the cycles they took. */
struct stretch {
    uint32_t tokens;
    uint64_t cycles;
};

/* Whole seconds apart from the rest, so that nothing overflows. */
static uint64_t nanoseconds(uint64_t cycles) {
    uint64_t hz = time_hz();

    return cycles / hz * NS_PER_SECOND +
           cycles % hz * (NS_PER_SECOND / MS_PER_SECOND) / (hz / MS_PER_SECOND);
}

static bool parse(const char *argument, size_t length, uint32_t ctx, uint32_t *prompt,
                  uint32_t *new) {
    size_t blank = 0;
    uint64_t first, second;
    struct fluid_error err;

    while (blank < length && argument[blank] != ' ')
        blank++;
    if (blank == length || !number_u64(argument, blank, UINT32_MAX, &first) || first == 0 ||
        !number_u64(argument + blank + 1, length - blank - 1, UINT32_MAX, &second)) {
        fluid_fail(&err, "E-CON-03",
                   "/speed PROMPT NEW expected, two numbers of tokens, found \"%.*s\"",
                   (int)(length < 40 ? length : 40), argument);
        report_error(&err);
        return false;
    }
    if (first + second > ctx) {
        fluid_fail(&err, "E-CTX-01", "at most %u tokens fit into the context, found %llu", ctx,
                   (unsigned long long)(first + second));
        report_error(&err);
        return false;
    }
    *prompt = (uint32_t)first;
    *new = (uint32_t)second;
    return true;
}

/* The whole prompt, in as few batches as the engine takes. */
static bool read_prompt(const int32_t *ids, uint32_t n, uint32_t batch, struct fluid_error *err) {
    for (uint32_t at = 0; at < n;) {
        uint32_t part = n - at < batch ? n - at : batch;

        if (engine_eval(ids + at, part, 1, NULL, NULL, err) < 0)
            return false;
        at += part;
    }
    return true;
}

/* One token after the other, each the best one behind those before. */
static bool continue_greedily(int32_t *ids, uint32_t n, struct fluid_error *err) {
    static const struct llama_sampling greedy;

    for (uint32_t i = 0; i < n; i++) {
        ids[i] = engine_sample(&greedy);
        if (engine_failed(err) || engine_eval(ids + i, 1, 1, NULL, NULL, err) < 0)
            return false;
    }
    return true;
}

static void speed_event(const int32_t *ids, struct stretch prompt, struct stretch new) {
    event_begin("speed");
    event_array_begin("ids");
    for (uint32_t i = 0; i < prompt.tokens + new.tokens; i++)
        event_i64(NULL, ids[i]);
    event_array_end();
    event_u64("n_prompt", prompt.tokens);
    event_u64("n_new", new.tokens);
    event_u64("prompt_ns", nanoseconds(prompt.cycles));
    event_u64("new_ns", nanoseconds(new.cycles));
    event_end();
    kprintf("%u tokens of a prompt in %llu us, %u new ones in %llu us\n", prompt.tokens,
            (unsigned long long)(nanoseconds(prompt.cycles) / 1000), new.tokens,
            (unsigned long long)(nanoseconds(new.cycles) / 1000));
}

static void measure(const struct model *model, int32_t *ids, struct stretch prompt,
                    struct stretch new) {
    uint64_t start, middle;
    struct fluid_error err = {0};

    for (uint32_t i = 0; i < prompt.tokens; i++)
        ids[i] = (int32_t)((1 + (uint64_t)i * SPREAD) % model->info.vocab);
    chat_cache_lost();
    engine_rewind(0);
    start = time_cycles();
    if (read_prompt(ids, prompt.tokens, model->info.batch, &err)) {
        middle = time_cycles();
        prompt.cycles = middle - start;
        if (continue_greedily(ids + prompt.tokens, new.tokens, &err)) {
            new.cycles = time_cycles() - middle;
            speed_event(ids, prompt, new);
            return;
        }
    }
    if (err.code[0] == '\0')
        fluid_fail(&err, "E-CON-07",
                   "the measurement was expected to run to its end, Ctrl-C stopped it");
    report_error(&err);
}

void command_speed(char *argument, size_t length) {
    const struct model *model = model_required();
    struct stretch prompt = {0}, new = {0};
    size_t size;
    int32_t *ids;

    if (!model || !parse(argument, length, model->info.ctx, &prompt.tokens, &new.tokens))
        return;
    size = (prompt.tokens + new.tokens) * sizeof(*ids);
    ids = kmalloc(size);
    if (!ids) {
        struct fluid_error err;
        fluid_fail(&err, "E-MEM-03",
                   "%u bytes of memory expected for the tokens, found none; measure fewer",
                   (unsigned)size);
        report_error(&err);
        return;
    }
    measure(model, ids, prompt, new);
    kfree(ids);
}
