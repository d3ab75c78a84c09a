/* command_model.c - /score and /complete: both start from an empty KV cache and leave the chat
 * untouched. */
#include "console/command.h"

#include "console/argument.h"
#include "console/chat.h"
#include "console/event.h"
#include "console/generate.h"
#include "console/model.h"
#include "console/number.h"
#include "console/settings.h"
#include "fluid/engine.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"

/* Tokens of text in a fresh array of ctx + 1 ids; NULL after a reported error. */
static int32_t *tokens_of(const struct model *model, const char *text, size_t length,
                          uint32_t *count) {
    int32_t *ids = kmalloc((model->info.ctx + 1) * sizeof(*ids));
    struct fluid_error err;
    int64_t n;

    if (!ids) {
        fluid_fail(&err, "E-MEM-03",
                   "%u bytes of memory expected for the tokens, found none; give the machine more",
                   (unsigned)((model->info.ctx + 1) * sizeof(*ids)));
        report_error(&err);
        return NULL;
    }
    n = engine_tokenize(text, length, ids, model->info.ctx, &err);
    if (n > (int64_t)model->info.ctx) {
        fluid_fail(&err, "E-CTX-01",
                   "at most %u tokens fit into the context, found %u; shorten TEXT",
                   model->info.ctx, (unsigned)n);
        n = -1;
    } else if (n == 0) {
        fluid_fail(&err, "E-CON-06",
                   "TEXT of at least one token expected, found none; this model adds "
                   "no token of its own");
        n = -1;
    }
    if (n < 0) {
        report_error(&err);
        kfree(ids);
        return NULL;
    }
    *count = (uint32_t)n;
    return ids;
}

static void score_event(const int32_t *ids, const struct llama_prediction *p, uint32_t n) {
    int64_t sum = 0; /* of negative log-likelihoods, micro */
    uint32_t digest = 0;

    event_begin("score");
    event_array_begin("ids");
    for (uint32_t i = 0; i < n; i++)
        event_i64(NULL, ids[i]);
    event_array_end();
    event_array_begin("argmax");
    for (uint32_t i = 0; i < n; i++)
        event_i64(NULL, p[i].top_id[0]);
    event_array_end();
    event_array_begin("margin");
    for (uint32_t i = 0; i < n; i++)
        event_micro(NULL, p[i].top_logit[0] - p[i].top_logit[1]);
    event_array_end();
    event_array_begin("top");
    for (uint32_t i = 0; i < n; i++) {
        event_array_begin(NULL);
        for (unsigned k = 0; k < ENGINE_TOP; k++) {
            event_array_begin(NULL);
            event_i64(NULL, p[i].top_id[k]);
            event_micro(NULL, p[i].top_logit[k]);
            event_array_end();
        }
        event_array_end();
    }
    event_array_end();
    event_array_begin("logsumexp");
    for (uint32_t i = 0; i < n; i++)
        event_micro(NULL, p[i].logsumexp);
    event_array_end();
    for (uint32_t i = 0; i + 1 < n; i++)
        sum += p[i].logsumexp - p[i].next_logit;
    if (n > 1)
        event_micro("nll", sum / (int64_t)(n - 1));
    else
        event_null("nll");
    event_end();
    for (uint32_t i = 0; i < n; i++)
        digest = (digest << 5 | digest >> 27) ^ p[i].digest;
    if (n > 1)
        kprintf("%u tokens, mean negative log-likelihood %lld.%03lld, digest of all logits %08x\n",
                n, (long long)(sum / (n - 1) / ENGINE_MICRO),
                (long long)(sum / (n - 1) % ENGINE_MICRO / 1000), digest);
    else
        kprintf("1 token: nothing to predict, digest of all logits %08x\n", digest);
}

/* Evaluates all ids with predictions; ids[n] is a readable sentinel. False after a reported error
 * or when cancelled. */
static bool predict(const struct model *model, const int32_t *ids, uint32_t n,
                    struct llama_prediction *predictions) {
    struct fluid_error err;

    for (uint32_t at = 0; at < n;) {
        uint32_t part = n - at < model->info.batch ? n - at : model->info.batch;

        if (engine_eval(ids + at, part, 1, predictions + at, ids + at + 1, &err) < 0) {
            if (err.code[0] == '\0')
                fluid_fail(&err, "E-CON-07",
                           "the score was expected to run to its end, Ctrl-C stopped it");
            report_error(&err);
            return false;
        }
        at += part;
    }
    return true;
}

void command_score(char *argument, size_t length) {
    const struct model *model = model_required();
    struct llama_prediction *predictions;
    int32_t *ids;
    uint32_t n;

    if (!model || !argument_text(&argument, &length))
        return;
    ids = tokens_of(model, argument, length, &n);
    if (!ids)
        return;
    predictions = kmalloc(n * sizeof(*predictions));
    if (predictions) {
        chat_cache_lost();
        engine_rewind(0);
        ids[n] = ids[n - 1];
        if (predict(model, ids, n, predictions))
            score_event(ids, predictions, n);
        kfree(predictions);
    } else {
        struct fluid_error err;
        fluid_fail(&err, "E-MEM-03",
                   "%u bytes of memory expected for the predictions, found none; shorten TEXT",
                   (unsigned)(n * sizeof(*predictions)));
        report_error(&err);
    }
    kfree(ids);
}

void command_complete(char *argument, size_t length) {
    static const struct llama_sampling greedy;
    const struct model *model = model_required();
    struct generation g = {.sampling = &greedy};
    size_t digits = 0;
    uint64_t limit;
    struct fluid_error err;

    if (!model)
        return;
    while (digits < length && argument[digits] != ' ')
        digits++;
    if (!number_u64(argument, digits, UINT32_MAX, &limit) || limit == 0) {
        fluid_fail(&err, "E-CON-03",
                   "/complete N TEXT expected with N from 1 to %u, found \"%.*s\"", UINT32_MAX,
                   (int)(digits < 40 ? digits : 40), argument);
        report_error(&err);
        return;
    }
    if (digits < length)
        digits++;
    argument += digits;
    length -= digits;
    if (!argument_text(&argument, &length))
        return;
    g.ids = tokens_of(model, argument, length, &g.count);
    if (!g.ids)
        return;
    g.capacity = model->info.ctx;
    g.max_new = (uint32_t)limit;
    g.text_start = length == 0;
    g.lookup = settings_current()->lookup;
    chat_cache_lost();
    engine_rewind(0);
    generate(&g);
    kfree(g.ids);
}
