/* chat.c - a conversation is a list of token ids; the KV cache holds a prefix of it. */
#include "console/chat.h"

#include "console/command.h"
#include "console/event.h"
#include "console/generate.h"
#include "console/model.h"
#include "console/settings.h"
#include "lib/printf.h"
#include "mm/heap.h"

static int32_t *ids;      /* (ctx,) tokens of the conversation so far */
static uint32_t count;    /* 0: no conversation yet */
static uint32_t reply_at; /* where the last reply begins in ids; 0: there is none */
static uint64_t draw;     /* how often a reply was made anew since the seed was set */
static bool cache_lost;

void chat_cache_lost(void) {
    cache_lost = true;
}

void chat_draw_anew(void) {
    draw = 0;
}

uint32_t chat_length(void) {
    return count;
}

void command_clear(char *argument, size_t length) {
    (void)argument;
    (void)length;
    count = 0;
    reply_at = 0;
    draw = 0;
    cache_lost = true;
    kprintf("The conversation is forgotten.\n");
}

/* Appends the user's turn to ids; returns the new count, 0 after a reported error. */
static uint32_t append_turn(const struct model *model, const char *text, size_t length) {
    const struct settings *settings = settings_current();
    uint32_t at = count;
    struct fluid_error err;
    int64_t n;

    if (at > 0 && model->info.eot >= 0 && !engine_is_eog(ids[at - 1]) && at < model->info.ctx)
        ids[at++] = model->info.eot; /* the last reply was stopped: close its turn */
    n = engine_chat_turn(settings->system_set ? settings->system : NULL, text, length, count == 0,
                         ids + at, model->info.ctx - at, &err);
    if (n < 0) {
        report_error(&err);
        return 0;
    }
    if ((uint64_t)n >= model->info.ctx - at) { /* the reply needs room for a token, too */
        fluid_fail(
            &err, "E-CTX-01",
            "at most %u more tokens fit into the context of %u, found %u; /clear starts a new "
            "conversation",
            at < model->info.ctx ? model->info.ctx - at - 1 : 0, model->info.ctx, (unsigned)n);
        report_error(&err);
        return 0;
    }
    return at + (uint32_t)n;
}

static bool take_memory(const struct model *model) {
    struct fluid_error err;

    if (!ids)
        ids = kmalloc(model->info.ctx * sizeof(*ids));
    if (ids)
        return true;
    fluid_fail(
        &err, "E-MEM-03",
        "%u bytes of memory expected for the conversation, found none; give the machine more",
        (unsigned)(model->info.ctx * sizeof(*ids)));
    report_error(&err);
    return false;
}

/* Generates a reply behind the first `end` tokens. false: it was stopped before its first token. */
static bool reply(const struct model *model, uint32_t end) {
    const struct settings *settings = settings_current();
    struct generation g = {.ids = ids,
                           .count = end,
                           .capacity = model->info.ctx,
                           .max_new = settings->max_tokens,
                           .sampling = &settings->sampling,
                           .repeat_last_n = settings->repeat_last_n,
                           .draw = draw,
                           .stop = &settings->stop};

    if (cache_lost)
        engine_rewind(0);
    cache_lost = false;
    generate(&g);
    if (g.count == end)
        return false;
    count = g.count;
    reply_at = end;
    return true;
}

void chat_say(const char *text, size_t length) {
    const struct model *model = model_required();
    uint32_t end;

    if (!model || !take_memory(model))
        return;
    end = append_turn(model, text, length);
    if (end > 0 && !reply(model, end))
        engine_rewind(count); /* as if nothing had been said */
}

void command_regen(char *argument, size_t length) {
    const struct model *model = model_required();
    struct fluid_error err;

    (void)argument;
    (void)length;
    if (!model)
        return;
    if (reply_at == 0) {
        fluid_fail(&err, "E-CON-08",
                   "a reply expected to be made anew, found none; say something first");
        report_error(&err);
        return;
    }
    engine_rewind(reply_at - 1); /* the logits of the last token before the reply are needed */
    draw++;
    reply(model, reply_at);
}
