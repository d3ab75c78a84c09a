/* generate.c - the loop from prompt to streamed reply. */
#include "console/generate.h"

#include "arch/x86/time.h"
#include "console/console.h"
#include "console/event.h"
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

static void done_event(enum reason reason, struct pace prompt, uint32_t n_gen, struct pace gen) {
    uint32_t n_prompt = prompt.tokens;
    int64_t prompt_tps = tps_micro(prompt), gen_tps = tps_micro(gen);

    event_begin("done");
    event_string("reason", reason_names[reason]);
    event_u64("n_prompt", n_prompt);
    event_u64("n_gen", n_gen);
    event_u64("cycles", prompt.cycles + gen.cycles);
    event_micro("prompt_tps", prompt_tps);
    event_micro("gen_tps", gen_tps);
    event_end();
    status_speed(gen_tps);
    console_style(VGA_NOTICE);
    kprintf("[%u prompt tokens, %lld.%02lld tok/s; %u generated, %lld.%02lld tok/s]\n", n_prompt,
            (long long)(prompt_tps / ENGINE_MICRO), (long long)(prompt_tps % ENGINE_MICRO / 10000),
            n_gen, (long long)(gen_tps / ENGINE_MICRO),
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

/* Evaluates the tokens that are not in the KV cache yet, batch by batch, and counts them; false:
 * *reason says why it stopped. */
static bool evaluate(const struct generation *g, uint32_t *evaluated, enum reason *reason) {
    uint32_t batch = model_current()->info.batch, begin = engine_position();
    struct fluid_error err;

    while (engine_position() < g->count) {
        uint32_t at = engine_position();
        uint32_t n = g->count - at < batch ? g->count - at : batch;

        *reason = REASON_CANCEL;
        if (console_poll())
            return false;
        show_reading(at - begin, g->count - begin);
        if (engine_eval(g->ids + at, n, NULL, NULL, &err) == 0) {
            *evaluated += n;
            continue;
        }
        if (err.code[0] != '\0') {
            *reason = REASON_ERROR;
            report_error(&err);
        }
        return false;
    }
    if (g->count > begin)
        show_reading(g->count - begin, g->count - begin);
    return !engine_gave_up(reason);
}

static int32_t next_token(const struct generation *g) {
    struct llama_sampling how = *g->sampling;

    how.recent_count = g->count < g->repeat_last_n ? g->count : g->repeat_last_n;
    how.recent = g->ids + g->count - how.recent_count;
    how.draw = g->draw;
    return engine_sample(&how);
}

/* Samples one token after another; *n_gen counts them, *evaluated those that went through the
 * model. */
static enum reason produce(struct generation *g, uint32_t *n_gen, uint32_t *evaluated,
                           struct stop_filter *filter, struct stream *stream) {
    enum reason reason;

    for (;;) {
        char piece[PIECE_MAX];
        size_t n;
        int32_t id;
        bool last;

        if (g->count == g->capacity && !(g->make_room && g->make_room(g)))
            return REASON_CONTEXT;
        if (!evaluate(g, evaluated, &reason))
            return reason;
        id = next_token(g);
        n = engine_piece(id, g->text_start && *n_gen == 0, piece, sizeof(piece));
        last = engine_is_eog(id);
        if (engine_gave_up(&reason))
            return reason;
        if (n > sizeof(piece))
            n = sizeof(piece);
        g->ids[g->count++] = id;
        ++*n_gen;
        token_event(id, piece, n);
        if (stop_feed(filter, piece, n, stream_write, stream))
            return REASON_STOP;
        if (last)
            return REASON_EOG;
        if (g->max_new && *n_gen >= g->max_new)
            return REASON_LENGTH;
    }
}

uint32_t generate(struct generation *g) {
    static const struct stop_strings no_stop;
    struct stop_filter filter = {.stop = g->stop ? g->stop : &no_stop};
    uint64_t start = time_cycles(), prompted;
    struct pace prompt = {0}, gen = {0};
    struct stream stream = {.count = 0};
    uint32_t n_gen = 0;
    enum reason reason;
    bool complete = evaluate(g, &prompt.tokens, &reason);

    console_style(VGA_REPLY);
    prompted = time_cycles();
    prompt.cycles = prompted - start;
    if (complete)
        reason = produce(g, &n_gen, &gen.tokens, &filter, &stream);
    gen.cycles = time_cycles() - prompted;
    if (stop_flush(&filter, stream_write, &stream) && reason != REASON_CANCEL &&
        reason != REASON_ERROR)
        reason = REASON_STOP;
    stream_flush(&stream);
    console_write("\n", 1);
    console_style(VGA_TEXT);
    if (reason != REASON_ERROR)
        done_event(reason, prompt, n_gen, gen);
    return n_gen;
}
