/* generate_host.c - a reply in a Linux process, of an engine that only keeps count: which tokens
 * are in its KV cache, which positions have logits. What comes next depends on the last two tokens
 * and, now and then, on the position, so that drafts are mostly right.
 *
 *     generate_host LOOKUP MAX_NEW EOG_AT FAULT AT
 *
 * EOG_AT: position behind which the reply ends. FAULT: the call number AT from 1 on of "sample",
 * "piece" or "eog" faults, of "eval" fails or (as "stop") is stopped by Ctrl-C; "none". Prints the
 * ids, then position, tokens of ids, what generate returned, and last the calls of llama_eval. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/time.h"
#include "console/console.h"
#include "console/event.h"
#include "console/generate.h"
#include "console/model.h"
#include "console/status.h"
#include "lib/printf.h"

#define CTX 200
#define BATCH 8
#define PROMPT 20
#define LAST_N 6
#define EOG 1

static const struct model fake = {.info = {.ctx = CTX, .batch = BATCH, .vocab = 16}};
static int32_t cache[CTX];
static uint32_t position, kept, eog_at; /* kept: positions with logits */
static const char *fault;
static unsigned long fault_at, evals;
static bool failed;

static void require(bool condition) {
    if (!condition)
        abort();
}

/* Is this the call that goes wrong? */
static bool goes_wrong(const char *call) {
    return strcmp(call, fault) == 0 && --fault_at == 0;
}

static bool faults(const char *call) {
    bool now = goes_wrong(call);
    failed |= now;
    return now;
}

const struct model *model_current(void) {
    return &fake;
}

uint32_t engine_position(void) {
    return position;
}

void engine_rewind(uint32_t keep) {
    require(keep <= position);
    kept = kept > position - keep ? kept - (position - keep) : 0;
    position = keep;
}

int engine_eval(const int32_t *ids, uint32_t n, uint32_t logits,
                struct llama_prediction *predictions, const int32_t *next,
                struct fluid_error *err) {
    require(n > 0 && n <= BATCH && n <= CTX - position && logits > 0 && logits <= n);
    require(!predictions && !next);
    evals++;
    *err = (struct fluid_error){.code = "E-MOD-16"};
    if (goes_wrong("eval"))
        return -1;
    err->code[0] = '\0';
    if (goes_wrong("stop"))
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        require(ids[i] > EOG && (uint32_t)ids[i] < fake.info.vocab);
        cache[position++] = ids[i];
    }
    kept = logits;
    return 0;
}

int32_t engine_sample(const struct llama_sampling *how) {
    require(how->back < kept && how->recent_count == LAST_N);
    uint32_t at = position - how->back;
    require(memcmp(how->recent, cache + at - LAST_N, LAST_N * sizeof *cache) == 0);
    if (faults("sample"))
        return 0;
    if (at == eog_at)
        return EOG;
    return 2 + (cache[at - 1] * 5 + cache[at - 2] * 3 + (at % 23 == 0)) % 7;
}

size_t engine_piece(int32_t id, bool first, char *out, size_t size) {
    require(!first && size > 0);
    *out = (char)('a' + id);
    return faults("piece") ? 0 : 1;
}

bool engine_is_eog(int32_t id) {
    return faults("eog") || id == EOG;
}

bool engine_failed(struct fluid_error *err) {
    bool now = failed;
    *err = (struct fluid_error){.code = "E-MOD-16"};
    failed = false;
    return now;
}

bool console_poll(void) {
    return false;
}

void console_write(const char *bytes, size_t n) {
    require(bytes[n - 1] != '\0');
}

void console_style(enum vga_style style) {
    (void)style;
}

void status_speed(int64_t tps_micro) {
    (void)tps_micro;
}

void kprintf(const char *format, ...) {
    (void)format;
}

uint64_t time_hz(void) {
    return 1000000000;
}

void report_error(const struct fluid_error *e) {
    require(strcmp(e->code, "E-MOD-16") == 0);
}

void event_begin(const char *name) {
    require(*name != '\0');
}

void event_string(const char *key, const char *value) {
    require(*key != '\0' && *value != '\0');
}

void event_bytes(const char *key, const char *b64_key, const char *bytes, size_t n) {
    require(*key != '\0' && *b64_key != '\0' && bytes && n <= 1);
}

void event_u64(const char *key, uint64_t value) {
    require(*key != '\0' && value <= INT64_MAX);
}

void event_i64(const char *key, int64_t value) {
    require(*key != '\0' && value >= 0);
}

void event_micro(const char *key, int64_t micro) {
    require(*key != '\0' && micro >= 0);
}

void event_end(void) {
}

int main(int argc, char **argv) {
    static const struct llama_sampling greedy;
    static struct stop_strings none;
    int32_t *ids = malloc(CTX * sizeof *ids); /* for the sanitizer to watch */
    require(argc == 6);
    for (int i = 0; i < PROMPT; i++)
        ids[i] = 2 + i % 7;
    struct generation g = {.ids = ids,
                           .count = PROMPT,
                           .capacity = CTX,
                           .max_new = (uint32_t)atoi(argv[2]),
                           .sampling = &greedy,
                           .repeat_last_n = LAST_N,
                           .stop = &none,
                           .lookup = atoi(argv[1]) != 0};
    eog_at = (uint32_t)atoi(argv[3]);
    fault = argv[4];
    fault_at = strtoul(argv[5], NULL, 10);
    uint32_t made = generate(&g);
    require(memcmp(cache, ids, (position < g.count ? position : g.count) * sizeof *ids) == 0);
    for (uint32_t i = 0; i < g.count; i++)
        printf("%d ", ids[i]);
    printf("\n%u %u %u\n%lu\n", position, g.count, made, evals);
    free(ids);
    return 0;
}
