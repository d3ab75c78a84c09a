/* fuzz_console.c - any bytes at the serial port: lines, the commands that they are, and the events
 * that answer them. The commands that need a model talk to a small one made here, whose tokens are
 * bytes; the devices are those of console_host.c, with its input and output taken over,
 * and what commands call is command_env.c's. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static jmp_buf end_of_input;
static int next_input(void);
static size_t take_output(const void *bytes, size_t size, size_t n, FILE *stream);

#define main console_host_main
#define exit(status) longjmp(end_of_input, 1)
#define getchar next_input
#define fwrite take_output
#include "../host/console_host.c"
#undef main
#undef exit
#undef getchar
#undef fwrite

#include "console/command.h"
#include "console/settings.h"
#include "console/stop.h"

#define RESET "\x03\x15x\r" /* an empty line again, whatever the input before has left */

static const uint8_t *input;
static size_t input_n, input_at;
static struct line line;

static char event[1 << 20]; /* what was written at the serial port */
static size_t event_n;

static int next_input(void) {
    static const char reset[] = RESET;
    size_t at = input_at++;
    if (at < sizeof reset - 1)
        return reset[at];
    at -= sizeof reset - 1;
    return at < input_n ? input[at] : EOF;
}

static size_t take_output(const void *bytes, size_t size, size_t n, FILE *stream) {
    (void)size;
    if (stream == stdout) {
        REQUIRE(n <= sizeof event - event_n);
        memcpy(event + event_n, bytes, n);
        event_n += n;
    }
    return n;
}

/* Records as RFC 7464 frames them: 0x1E, printable UTF-8, LF. */
static void check_events(void) {
    for (size_t at = 0; at < event_n;) {
        const char *end = memchr(event + at, '\n', event_n - at);
        REQUIRE(end != NULL && event[at] == 0x1e && event[at + 1] == '{' && end[-1] == '}');
        size_t n = (size_t)(end - (event + at));
        REQUIRE(utf8_valid(event + at + 1, n - 1));
        for (size_t i = 1; i < n; i++)
            REQUIRE((unsigned char)event[at + i] >= ' ');
        at += n + 1;
    }
    event_n = 0;
}

/* ---- the target */

static bool is_plain(const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i] < ' ' || bytes[i] == 0x7f)
            return false;
    return true;
}

static void check_line(void) {
    REQUIRE(line.length <= LINE_MAX && line.text[line.length] == 0);
    REQUIRE(!line.too_long || line.length == 0);
    for (size_t i = 0; i < line.length; i++)
        REQUIRE((unsigned char)line.text[i] >= ' ' || line.text[i] == '\t');
}

static void check_settings(void) {
    const struct settings *s = settings_current();
    REQUIRE(s->sampling.temperature_micro >= 0 && s->sampling.temperature_micro <= 5000000);
    REQUIRE(s->sampling.top_p_micro > 0 && s->sampling.top_p_micro <= 1000000);
    REQUIRE(s->sampling.min_p_micro >= 0 && s->sampling.min_p_micro <= 1000000);
    REQUIRE(s->sampling.repeat_penalty_micro >= 1000000);
    REQUIRE(strnlen(s->system, sizeof s->system) < sizeof s->system);
    REQUIRE(s->stop.count <= STOP_STRINGS_MAX);
    for (unsigned i = 0; i < s->stop.count; i++)
        REQUIRE(s->stop.length[i] > 0 && s->stop.length[i] <= STOP_BYTES_MAX);
}

struct written {
    char text[LINE_MAX];
    size_t n;
};

static void write_on(void *context, const char *bytes, size_t n) {
    struct written *w = context;
    REQUIRE(n <= sizeof w->text - w->n);
    memcpy(w->text + w->n, bytes, n);
    w->n += n;
}

/* The line as a reply in pieces: it is cut in front of the first stop string that ends in it. */
static void check_stop_strings(void) {
    static struct written written;
    const struct stop_strings *stop = &settings_current()->stop;
    struct stop_filter filter = {.stop = stop};
    size_t piece = 1 + line.length % 5;
    bool stopped = false;
    written.n = 0;
    for (size_t at = 0; at < line.length && !stopped; at += piece) {
        size_t n = line.length - at < piece ? line.length - at : piece;
        stopped = stop_feed(&filter, line.text + at, n, write_on, &written);
    }
    stopped = stopped || stop_flush(&filter, write_on, &written);
    REQUIRE(written.n <= line.length && memcmp(written.text, line.text, written.n) == 0);
    REQUIRE(stopped == (written.n < line.length));
    for (unsigned i = 0; i < stop->count; i++)
        REQUIRE(memmem(written.text, written.n, stop->bytes[i], stop->length[i]) == NULL);
}

/* Each input starts with the settings of a machine that was just switched on. */
static void restore_settings(void) {
    static struct settings first;
    static bool known;
    struct settings *now = (struct settings *)(uintptr_t)settings_current();
    if (!known)
        first = *now;
    known = true;
    *now = first;
    event_enabled = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* The line's end is behind the input: without control bytes, the line is what was typed. */
    uint8_t *typed = malloc(size + 1);
    memcpy(typed, data, size);
    typed[size] = '\r';
    input = typed;
    input_n = size + 1;
    input_at = 0;
    restore_settings();
    line_read(&line); /* of RESET */
    if (is_plain(data, size)) {
        line_read(&line);
        REQUIRE(line.length == size && memcmp(line.text, data, size) == 0);
        input_at = sizeof RESET - 1;
    }
    if (setjmp(end_of_input) == 0) {
        for (unsigned lines = 0;; lines++) {
            if (lines % 4 == 3)
                line_poll(); /* the rest is queued, as during a reply */
            line_read(&line);
            check_line();
            check_stop_strings();
            command_run(&line);
            check_settings();
            check_events();
        }
    }
    event_n = 0;
    free(typed);
    return 0;
}
