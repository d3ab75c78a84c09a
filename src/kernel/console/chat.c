/* chat.c - a conversation is a list of token ids; the KV cache holds a prefix of it. */
#include "console/chat.h"

#include "console/command.h"
#include "console/event.h"
#include "console/generate.h"
#include "console/model.h"
#include "console/settings.h"
#include "lib/printf.h"
#include "mm/heap.h"

static int32_t *ids;   /* (ctx,) tokens of the conversation so far */
static uint32_t count; /* 0: no conversation yet */
static bool cache_lost;

void chat_cache_lost(void) {
    cache_lost = true;
}

uint32_t chat_length(void) {
    return count;
}

void command_clear(char *argument, size_t length) {
    (void)argument;
    (void)length;
    count = 0;
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

void chat_say(const char *text, size_t length) {
    const struct model *model = model_required();
    const struct settings *settings = settings_current();
    struct generation g;
    uint32_t with_turn;

    if (!model)
        return;
    if (!ids)
        ids = kmalloc(model->info.ctx * sizeof(*ids));
    if (!ids) {
        struct fluid_error err;
        fluid_fail(
            &err, "E-MEM-03",
            "%u bytes of memory expected for the conversation, found none; give the machine more",
            (unsigned)(model->info.ctx * sizeof(*ids)));
        report_error(&err);
        return;
    }
    with_turn = append_turn(model, text, length);
    if (with_turn == 0)
        return;
    if (cache_lost)
        engine_rewind(0);
    cache_lost = false;
    g = (struct generation){.ids = ids,
                            .count = with_turn,
                            .capacity = model->info.ctx,
                            .max_new = settings->max_tokens,
                            .sampling = &settings->sampling};
    generate(&g);
    if (g.count > with_turn) {
        count = g.count;
    } else { /* stopped before the first token: as if nothing had been said */
        if (engine_position() > count)
            engine_rewind(count);
    }
}
