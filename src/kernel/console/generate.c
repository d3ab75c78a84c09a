/* generate.c - the loop from prompt to streamed reply. */
#include "console/generate.h"

#include "arch/x86/time.h"
#include "console/console.h"
#include "console/event.h"
#include "console/lookup.h"
#include "console/model.h"
#include "console/status.h"
#include "console/utf8.h"
#include "fluid/engine.h"
#include "lib/printf.h"

#define PIECE_MAX 512
#define READING_SHOWN 128u /* tokens from which on progress is shown */
#define READING "Reading %u of %u tokens"
#define US_PER_SECOND 1000000

enum reason { REASON_EOG, REASON_STOP, REASON_LENGTH, REASON_CONTEXT, REASON_CANCEL, REASON_ERROR };

/* As the done event has them; after a reported error there is none. */
static const char *const reason_names[] = {"eog", "stop", "length", "context", "cancel"};

/* Text for people, held back until a UTF-8 sequence is complete. */
struct stream {
    char held[4];
    size_t count;
};

static void stream_flush(struct stream *s) {
    if (s->count)
        console_write("?", 1);
    s->count = 0;
}

static void stream_write(void *context, const char *bytes, size_t n) {
    struct stream *s = context;

    for (size_t i = 0; i < n; i++) {
        int length;

        s->held[s->count++] = bytes[i];
        length = utf8_sequence(s->held, s->count);
        if (length > 0) {
            console_write(s->held, s->count);
            s->count = 0;
        } else if (length == 0) {
            /* The sequence broke off: mark it, and look at the new byte alone. */
            bool alone = s->count == 1;
            stream_flush(s);
            if (!alone)
                i--;
        }
    }
}

static void token_event(int32_t id, const char *piece, size_t n) {
    event_begin("token");
    event_i64("id", id);
    event_bytes("text", "b64", piece, n);
    event_end();
}

/* A stretch of work: tokens that went through the model, and the time they took. */
struct pace {
    uint32_t tokens;
    uint64_t cycles;
};

/* Tokens per second in micro-units; 0 when nothing was measured. */
static int64_t tps_micro(struct pace p) {
    uint64_t us = p.cycles / (time_hz() / US_PER_SECOND);

    return us ? (int64_t)((uint64_t)p.tokens * ENGINE_MICRO * US_PER_SECOND / us) : 0;
}

/* Of all replies: there is one model as long as the system runs. */
static struct lookup_costs costs;

/* What a reply has come to. */
struct run {
    struct generation *g;
    struct stop_filter filter;
    struct stream stream;
    struct lookup lookup;
    struct pace prompt, gen;
    uint32_t n_gen;
};

static void done_event(enum reason reason, const struct run *r) {
    struct pace prompt = r->prompt, gen = r->gen;
    int64_t prompt_tps = tps_micro(prompt), gen_tps = tps_micro(gen);

    event_begin("done");
    event_string("reason", reason_names[reason]);
    event_u64("n_prompt", prompt.tokens);
    event_u64("n_gen", r->n_gen);
    event_u64("cycles", prompt.cycles + gen.cycles);
    event_micro("prompt_tps", prompt_tps);
    event_micro("gen_tps", gen_tps);
    event_u64("drafted", r->lookup.drafted);
    event_u64("accepted", r->lookup.accepted);
    event_end();
    status_speed(gen_tps);
    console_style(VGA_NOTICE);
    kprintf("[%u prompt tokens, %lld.%02lld tok/s; %u generated, ", prompt.tokens,
            (long long)(prompt_tps / ENGINE_MICRO), (long long)(prompt_tps % ENGINE_MICRO / 10000),
            r->n_gen);
    if (r->lookup.drafted > 0)
        kprintf("%u of %u drafted accepted, ", r->lookup.accepted, r->lookup.drafted);
    kprintf("%lld.%02lld tok/s]\n", (long long)(gen_tps / ENGINE_MICRO),
            (long long)(gen_tps % ENGINE_MICRO / 10000));
    console_style(VGA_TEXT);
}

/* Reading a long text takes a while: how far it is, in one row that the reply overwrites. */
static void show_reading(uint32_t done, uint32_t total) {
    if (total < READING_SHOWN)
        return;
    kprintf("\r");
    if (done < total)
        kprintf(READING, done, total);
    else
        kprintf("%*s\r", (int)sizeof(READING) + 10, "");
}

static bool engine_gave_up(enum reason *reason) {
    struct fluid_error err;

    if (!engine_failed(&err))
        return false;
    report_error(&err);
    *reason = REASON_ERROR;
    return true;
}

/* Evaluates the tokens that are not in the KV cache yet and as many drafts behind them, which only
 * one token may precede; batch by batch, and counts them. false: *reason says why it stopped. */
static bool evaluate(const struct generation *g, uint32_t drafts, uint32_t *evaluated,
                     enum reason *reason) {
    uint32_t batch = model_current()->info.batch, begin = engine_position();
    uint32_t end = g->count + drafts;
    struct fluid_error err;

    while (engine_position() < end) {
        uint32_t at = engine_position();
        uint32_t n = end - at < batch ? end - at : batch;

        *reason = REASON_CANCEL;
        if (console_poll())
            return false;
        show_reading(at - begin, end - begin);
        if (engine_eval(g->ids + at, n, drafts + 1, NULL, NULL, &err) == 0) {
            *evaluated += n;
            continue;
        }
        if (err.code[0] != '\0') {
            *reason = REASON_ERROR;
            report_error(&err);
        }
        return false;
    }
    if (end > begin)
        show_reading(end - begin, end - begin);
    return !engine_gave_up(reason);
}

/* Behind ids, with so many drafts in the KV cache that are not in ids. */
static int32_t next_token(const struct generation *g, uint32_t drafts) {
    struct llama_sampling how = *g->sampling;

    how.recent_count = g->count < g->repeat_last_n ? g->count : g->repeat_last_n;
    how.recent = g->ids + g->count - how.recent_count;
    how.draw = g->draw;
    how.back = drafts;
    return engine_sample(&how);
}

/* Samples a token behind ids, appends and streams it. false: it was the last, *reason says why. */
static bool produce_token(struct run *r, uint32_t drafts, enum reason *reason) {
    struct generation *g = r->g;
    int32_t id = next_token(g, drafts);
    char piece[PIECE_MAX];
    size_t n = engine_piece(id, g->text_start && r->n_gen == 0, piece, sizeof(piece));
    bool last = engine_is_eog(id);

    if (engine_gave_up(reason))
        return false;
    if (n > sizeof(piece))
        n = sizeof(piece);
    g->ids[g->count++] = id;
    r->n_gen++;
    token_event(id, piece, n);
    if (stop_feed(&r->filter, piece, n, stream_write, &r->stream))
        *reason = REASON_STOP;
    else if (last)
        *reason = REASON_EOG;
    else if (g->max_new && r->n_gen >= g->max_new)
        *reason = REASON_LENGTH;
    else
        return true;
    return false;
}

/* Writes drafts behind ids, no more than the reply may still have tokens before its last. */
static uint32_t draft(struct run *r) {
    struct generation *g = r->g;
    uint32_t room = g->capacity - g->count - 1;

    if (!g->lookup)
        return 0;
    if (g->max_new && room > g->max_new - r->n_gen - 1)
        room = g->max_new - r->n_gen - 1;
    if (engine_position() + 1 != g->count)
        room = 0;
    return lookup_draft(&r->lookup, g->ids, g->count, room);
}

/* Samples a token, and further ones as long as the drafts are what is sampled; the other drafts
 * leave the KV cache. false: the reply has ended. */
static bool produce_some(struct run *r, enum reason *reason) {
    struct generation *g = r->g;
    uint32_t drafts = draft(r), before = r->gen.tokens;
    uint64_t begin = time_cycles();
    bool more, right;

    if (!evaluate(g, drafts, &r->gen.tokens, reason))
        return false;
    if (r->gen.tokens - before == drafts + 1)
        lookup_took(&r->lookup, drafts, time_cycles() - begin);
    for (;;) {
        uint32_t at = g->count;
        int32_t guess = r->lookup.matched ? g->ids[at] : -1;

        more = produce_token(r, drafts, reason);
        right = more && lookup_compare(&r->lookup, guess, g->ids[at]);
        if (!right)
            break;
        drafts--;
    }
    if (drafts > 0)
        engine_rewind(engine_position() - drafts);
    r->gen.tokens -= drafts;
    return more;
}

static enum reason produce(struct run *r) {
    struct generation *g = r->g;
    enum reason reason;

    do {
        if (g->count == g->capacity && !(g->make_room && g->make_room(g)))
            return REASON_CONTEXT;
    } while (produce_some(r, &reason));
    return reason;
}

uint32_t generate(struct generation *g) {
    static const struct stop_strings no_stop;
    struct run r = {.g = g, .filter.stop = g->stop ? g->stop : &no_stop};
    uint64_t start = time_cycles(), prompted;
    enum reason reason;
    lookup_begin(&r.lookup, &costs);
    bool complete = evaluate(g, 0, &r.prompt.tokens, &reason);

    console_style(VGA_REPLY);
    prompted = time_cycles();
    r.prompt.cycles = prompted - start;
    if (complete)
        reason = produce(&r);
    r.gen.cycles = time_cycles() - prompted;
    if (stop_flush(&r.filter, stream_write, &r.stream) && reason != REASON_CANCEL &&
        reason != REASON_ERROR)
        reason = REASON_STOP;
    stream_flush(&r.stream);
    console_write("\n", 1);
    console_style(VGA_TEXT);
    if (reason != REASON_ERROR)
        done_event(reason, &r);
    return r.n_gen;
}
