/* chat.c - what is said to the model and how it replies. The KV cache holds a prefix of the
 * conversation's tokens, so that only new ones are evaluated. */
#include "console/chat.h"

#include "console/command.h"
#include "console/event.h"
#include "console/generate.h"
#include "console/model.h"
#include "console/settings.h"
#include "console/turns.h"
#include "lib/printf.h"

static struct turns said;
static uint32_t reply_at; /* where the last reply begins; 0: there is none */
static uint64_t draw;     /* how often a reply was made anew since the seed was set */
static bool cache_lost;

void chat_cache_lost(void) {
    cache_lost = true;
}

void chat_draw_anew(void) {
    draw = 0;
}

uint32_t chat_length(void) {
    return said.count;
}

void command_clear(char *argument, size_t length) {
    (void)argument;
    (void)length;
    said.count = said.turns = 0;
    reply_at = 0;
    draw = 0;
    cache_lost = true;
    kprintf("The conversation is forgotten.\n");
}

/* The context is full in the middle of a reply: the oldest turns are forgotten, what follows the
 * system message is evaluated again. */
static bool make_room(struct generation *g) {
    uint32_t gone;

    said.count = g->count;
    gone = settings_current()->shift ? turns_drop(&said) : 0;
    if (gone == 0)
        return false;
    engine_rewind(said.start[0]);
    reply_at -= gone; /* the last turn stays */
    g->count = said.count;
    return true;
}

/* Generates a reply behind the first `end` tokens. false: it was stopped before its first token. */
static bool reply(uint32_t end) {
    const struct settings *settings = settings_current();
    struct generation g = {.ids = said.ids,
                           .count = end,
                           .capacity = said.ctx,
                           .max_new = settings->max_tokens,
                           .sampling = &settings->sampling,
                           .repeat_last_n = settings->repeat_last_n,
                           .draw = draw,
                           .stop = &settings->stop,
                           .lookup = settings->lookup,
                           .make_room = make_room};

    if (cache_lost)
        engine_rewind(0);
    cache_lost = false;
    reply_at = end;
    if (generate(&g) == 0)
        return false;
    said.count = g.count;
    return true;
}

void chat_say(const char *text, size_t length) {
    const struct model *model = model_required();
    const struct settings *settings = settings_current();
    struct turn turn = {.system = settings->system_set ? settings->system : NULL,
                        .text = text,
                        .length = length,
                        .shift = settings->shift};
    bool appended, dropped;

    if (!model || (!said.ids && !turns_take(&said, model->info.ctx)))
        return;
    appended = turns_append(&said, model, &turn, &dropped);
    if (dropped) {
        engine_rewind(said.start[0]);
        reply_at = 0;
    }
    if (appended && !reply(said.count)) {
        turns_undo(&said); /* as if nothing had been said */
        engine_rewind(said.count);
        reply_at = 0;
    }
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
    reply(reply_at);
}
