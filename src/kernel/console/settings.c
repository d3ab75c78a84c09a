/* settings.c - /set and /show. Values that are out of range are refused and change nothing. */
#include "console/settings.h"

#include "console/chat.h"
#include "console/command.h"
#include "console/event.h"
#include "console/model.h"
#include "console/number.h"
#include "lib/printf.h"
#include "lib/string.h"

#define TEMPERATURE_MAX_MICRO 5000000

static struct settings settings = {.max_tokens = 512};

const struct settings *settings_current(void) {
    return &settings;
}

static bool set_events(const char *value, size_t length) {
    if (length == 2 && memcmp(value, "on", 2) == 0)
        event_enable(true);
    else if (length == 3 && memcmp(value, "off", 3) == 0)
        event_enable(false);
    else
        return false;
    return true;
}

static bool set_temperature(const char *value, size_t length) {
    return number_micro(value, length, TEMPERATURE_MAX_MICRO, &settings.sampling.temperature_micro);
}

static bool set_seed(const char *value, size_t length) {
    return number_u64(value, length, UINT64_MAX, &settings.sampling.seed);
}

static bool set_max_tokens(const char *value, size_t length) {
    uint64_t n;

    if (!number_u64(value, length, UINT32_MAX, &n))
        return false;
    settings.max_tokens = (uint32_t)n;
    return true;
}

static bool set_system(const char *value, size_t length) {
    if (length >= SETTINGS_SYSTEM_MAX)
        return false;
    memcpy(settings.system, value, length);
    settings.system[length] = '\0';
    settings.system_set = true;
    return true;
}

static const struct setting {
    const char *key;
    const char *expected;
    bool (*set)(const char *value, size_t length);
} table[] = {
    {"events", "on or off", set_events},
    {"temperature", "0 (greedy) to 5, such as 0.7", set_temperature},
    {"seed", "a whole number of 64 bits", set_seed},
    {"max_tokens", "a whole number up to 4294967295; 0 for no limit", set_max_tokens},
    {"system", "the system message, at most 4095 bytes; in force after /clear", set_system},
};

#define SETTING_COUNT (sizeof(table) / sizeof(table[0]))

void command_set(char *argument, size_t length) {
    struct fluid_error err;
    size_t key_length = 0, skip;

    while (key_length < length && argument[key_length] != ' ')
        key_length++;
    skip = key_length < length ? key_length + 1 : length;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strlen(table[i].key) != key_length || memcmp(table[i].key, argument, key_length) != 0)
            continue;
        if (table[i].set(argument + skip, length - skip))
            return;
        fluid_fail(&err, "E-CON-03", "/set %s expects %s, found \"%.*s\"", table[i].key,
                   table[i].expected, (int)(length - skip < 40 ? length - skip : 40),
                   argument + skip);
        report_error(&err);
        return;
    }
    fluid_fail(&err, "E-CON-03",
               "/set KEY VALUE expected with KEY one of events temperature seed max_tokens system, "
               "found \"%.*s\"",
               (int)(key_length < 40 ? key_length : 40), argument);
    report_error(&err);
}

void command_show(char *argument, size_t length) {
    const struct model *model = model_current();
    int64_t temperature = settings.sampling.temperature_micro;

    (void)argument;
    (void)length;
    kprintf("  events       %s\n", event_enabled() ? "on" : "off");
    kprintf("  temperature  %lld.%06lld\n", (long long)(temperature / 1000000),
            (long long)(temperature % 1000000));
    kprintf("  seed         %llu\n", (unsigned long long)settings.sampling.seed);
    kprintf("  max_tokens   %u\n", settings.max_tokens);
    kprintf("  system       %s\n", settings.system_set ? settings.system : "(the model's default)");
    if (!model) {
        kprintf("  model        none\n");
        return;
    }
    kprintf("  model        %s, %s, %u layers, dim %u, vocabulary %u (%s), template %s\n",
            model->info.name, model->info.quant, model->info.n_layers, model->info.dim,
            model->info.vocab, model->info.tokenizer, model->info.chat_template);
    kprintf("  context      %u of the model's %u tokens, %u in the conversation\n", model->info.ctx,
            model->info.ctx_model, chat_length());
}
