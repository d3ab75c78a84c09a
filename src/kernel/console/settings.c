/* settings.c - /set and /show. Values that are out of range are refused and change nothing. */
#include "console/settings.h"

#include "arch/x86/time.h"
#include "console/argument.h"
#include "console/chat.h"
#include "console/command.h"
#include "console/event.h"
#include "console/model.h"
#include "console/number.h"
#include "lib/printf.h"
#include "lib/string.h"

/* Greedy until a temperature is set; the other values are those of llama.cpp. */
static struct settings settings = {
    .sampling = {.top_k = 40,
                 .top_p_micro = 950000,
                 .min_p_micro = 50000,
                 .repeat_penalty_micro = ENGINE_MICRO},
    .repeat_last_n = 64,
    .max_tokens = 512,
    .lookup = true,
};

const struct settings *settings_current(void) {
    return &settings;
}

/* One line of the table. Numbers lie between low and high, in micro-units where they are reals. */
struct setting {
    const char *key;
    const char *expected;
    bool (*set)(const struct setting *s, char *value, size_t length); /* false: not `expected` */
    void (*show)(const struct setting *s);
    void *value;
    uint64_t low, high;
};

static bool set_micro(const struct setting *s, char *value, size_t length) {
    int64_t micro;

    if (!number_micro(value, length, (int64_t)s->high, &micro) || micro < (int64_t)s->low)
        return false;
    *(int64_t *)s->value = micro;
    return true;
}

static void show_micro(const struct setting *s) {
    int64_t micro = *(const int64_t *)s->value;

    kprintf("%lld.%06lld", (long long)(micro / ENGINE_MICRO), (long long)(micro % ENGINE_MICRO));
}

static bool set_count(const struct setting *s, char *value, size_t length) {
    uint64_t n;

    if (!number_u64(value, length, s->high, &n))
        return false;
    *(uint32_t *)s->value = (uint32_t)n;
    return true;
}

static void show_count(const struct setting *s) {
    kprintf("%u", *(const uint32_t *)s->value);
}

static bool is_word(const char *value, size_t length, const char *word) {
    return length == strlen(word) && memcmp(value, word, length) == 0;
}

static bool set_seed(const struct setting *s, char *value, size_t length) {
    uint64_t *seed = s->value;

    if (is_word(value, length, "random"))
        *seed = time_cycles();
    else if (!number_u64(value, length, UINT64_MAX, seed))
        return false;
    chat_draw_anew();
    return true;
}

static void show_seed(const struct setting *s) {
    kprintf("%llu", (unsigned long long)*(const uint64_t *)s->value);
}

static bool set_switch(const struct setting *s, char *value, size_t length) {
    bool on = is_word(value, length, "on");

    if (on || is_word(value, length, "off"))
        *(bool *)s->value = on;
    return on || is_word(value, length, "off");
}

static void show_switch(const struct setting *s) {
    kprintf("%s", *(const bool *)s->value ? "on" : "off");
}

static bool set_system(const struct setting *s, char *value, size_t length) {
    char *system = s->value;

    if (!argument_text(&value, &length))
        return true; /* reported */
    if (length >= SETTINGS_SYSTEM_MAX || strnlen(value, length) < length)
        return false;
    memcpy(system, value, length);
    system[length] = '\0';
    settings.system_set = true;
    return true;
}

static void show_system(const struct setting *s) {
    kprintf("%s", settings.system_set ? (const char *)s->value : "(the model's default)");
}

/* Without a value all are removed. */
static bool set_stop(const struct setting *s, char *value, size_t length) {
    struct stop_strings *stop = s->value;

    if (length == 0) {
        stop->count = 0;
        return true;
    }
    return !argument_text(&value, &length) /* reported */ || stop_add(stop, value, length);
}

static void show_stop(const struct setting *s) {
    const struct stop_strings *stop = s->value;

    for (unsigned i = 0; i < stop->count; i++)
        kprintf("%s\"%.*s\"", i > 0 ? " " : "", (int)stop->length[i], stop->bytes[i]);
    if (stop->count == 0)
        kprintf("(none)");
}

static const struct setting table[] = {
    {"events", "on or off", set_switch, show_switch, &event_enabled, 0, 0},
    {"temperature", "0 (greedy) to 5, such as 0.7", set_micro, show_micro,
     &settings.sampling.temperature_micro, 0, 5 * ENGINE_MICRO},
    {"top_k", "a whole number, 0 for all tokens", set_count, show_count, &settings.sampling.top_k,
     0, UINT32_MAX},
    {"top_p", "more than 0 up to 1, 1 for all tokens", set_micro, show_micro,
     &settings.sampling.top_p_micro, 1, ENGINE_MICRO},
    {"min_p", "0 (all tokens) to 1", set_micro, show_micro, &settings.sampling.min_p_micro, 0,
     ENGINE_MICRO},
    {"repeat_penalty", "1 (none) to 10, such as 1.1", set_micro, show_micro,
     &settings.sampling.repeat_penalty_micro, ENGINE_MICRO, 10 * ENGINE_MICRO},
    {"repeat_last_n", "a whole number of tokens", set_count, show_count, &settings.repeat_last_n, 0,
     UINT32_MAX},
    {"seed", "a whole number of 64 bits, or random", set_seed, show_seed, &settings.sampling.seed,
     0, 0},
    {"max_tokens", "a whole number up to 4294967295, 0 for no limit", set_count, show_count,
     &settings.max_tokens, 0, UINT32_MAX},
    {"system", "the system message, at most 4095 bytes without NUL; in force after /clear",
     set_system, show_system, settings.system, 0, 0},
    {"stop", "text of at most 64 bytes that ends a reply, at most 4 of them; no text removes all",
     set_stop, show_stop, &settings.stop, 0, 0},
    {"shift", "on or off", set_switch, show_switch, &settings.shift, 0, 0},
    {"lookup", "on or off", set_switch, show_switch, &settings.lookup, 0, 0},
};

#define SETTING_COUNT (sizeof(table) / sizeof(table[0]))

void command_set(char *argument, size_t length) {
    struct fluid_error err;
    size_t key_length = 0, skip;

    while (key_length < length && argument[key_length] != ' ')
        key_length++;
    skip = key_length < length ? key_length + 1 : length;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &table[i];

        if (!is_word(argument, key_length, s->key))
            continue;
        if (s->set(s, argument + skip, length - skip))
            return;
        fluid_fail(&err, "E-CON-03", "/set %s expects %s, found \"%.*s\"", s->key, s->expected,
                   (int)(length - skip < 40 ? length - skip : 40), argument + skip);
        report_error(&err);
        return;
    }
    fluid_fail(&err, "E-CON-03",
               "/set KEY VALUE expected, found KEY \"%.*s\"; /show lists the keys",
               (int)(key_length < 40 ? key_length : 40), argument);
    report_error(&err);
}

void command_show(char *argument, size_t length) {
    const struct model *model = model_current();

    (void)argument;
    (void)length;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        kprintf("  %-15s", table[i].key);
        table[i].show(&table[i]);
        kprintf("\n");
    }
    if (!model) {
        kprintf("  %-15snone\n", "model");
        return;
    }
    kprintf("  %-15s%s, %s, %u layers, dim %u, vocabulary %u (%s), template %s\n", "model",
            model->info.name, model->info.quant, model->info.n_layers, model->info.dim,
            model->info.vocab, model->info.tokenizer, model->info.chat_template);
    kprintf("  %-15s%u of the model's %u tokens, %u in the conversation, K and V in %s\n",
            "context", model->info.ctx, model->info.ctx_model, chat_length(), model->info.kv_type);
}
