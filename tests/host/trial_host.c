/* trial_host.c - the module trial: calls of each kind of operation are taken down, on several
 * threads, and run again with code that does the same, and with code that does not.
 *
 * The operations here are no real ones: each mixes all bytes that it may read into all that it is
 * to write, so that a byte more or less shows. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fluid/kapi.h"
#include "fluid/tensor.h"
#include "fluid/trial.h"

trial_begin_fn trial_begin;
trial_check_fn trial_check;
trial_end_fn trial_end;

#define ROOM 4096u
#define GUARD 64
#define CALL_BYTES 65536u

/* What the candidate does that it should not: to the last result that it writes. */
enum fault { NOTHING, FIRST_BYTE, LAST_BYTE, BEHIND, FAR_BEHIND, IN_FRONT };
static _Thread_local enum fault fault;

/* The kernel's counts what a task had of the processor. */
uint64_t fluid_call_begin(void) {
    return __builtin_ia32_rdtsc();
}

static uint64_t mix(uint64_t seed, const void *bytes, size_t count) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < count; i++)
        seed = (seed ^ b[i]) * 0x100000001b3ull;
    return seed;
}

static void fill(void *to, size_t count, uint64_t seed) {
    uint8_t *b = to;
    for (size_t i = 0; i < count; i++)
        b[i] = (uint8_t)(seed >> 13) ^ (uint8_t)i;
}

static void go_wrong(void *result, size_t count) {
    uint8_t *b = result;
    if (fault == FIRST_BYTE || fault == LAST_BYTE)
        b[fault == FIRST_BYTE ? 0 : count - 1] ^= 1;
    if (fault == BEHIND)
        b[count] = 1;
    if (fault == FAR_BEHIND)
        b[count + GUARD - 1] = 1;
    if (fault == IN_FRONT)
        b[-1] = 1;
}

static size_t row_bytes(uint32_t n, uint32_t stride, uint32_t width) {
    return ((n - 1) * (size_t)stride + width) * sizeof(float);
}

static void matmul(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                   uint32_t cols, uint32_t n, uint32_t block, size_t size) {
    uint64_t seed = mix(mix(cols, w, rows), x, (size_t)cols / block * n * size);
    for (uint32_t t = 0; t < n; t++)
        fill(out + t * (size_t)out_stride, rows * sizeof(float), seed + t);
    go_wrong(out, row_bytes(n, out_stride, rows));
}

static void matmul_q8_0(float *out, uint32_t stride, const void *w, const void *x, uint32_t rows,
                        uint32_t cols, uint32_t n, uint32_t ahead) {
    (void)ahead;
    matmul(out, stride, w, x, rows, cols, n, QUANT_BLOCK, sizeof(struct act_q8));
}

static void matmul_q4_k(float *out, uint32_t stride, const void *w, const void *x, uint32_t rows,
                        uint32_t cols, uint32_t n, uint32_t ahead) {
    (void)ahead;
    matmul(out, stride, w, x, rows, cols, n, SUPER_BLOCK, sizeof(struct act_q8_k));
}

static void matmul_f32(float *out, uint32_t stride, const void *w, const void *x, uint32_t rows,
                       uint32_t cols, uint32_t n, uint32_t ahead) {
    (void)ahead;
    matmul(out, stride, w, x, rows, cols, n, 1, sizeof(float));
}

static void row_q8_0(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    fill(out, cols * sizeof(float), mix(r, w, rows));
    go_wrong(out, cols * sizeof(float));
}

static void quantize(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride,
                     uint32_t block, size_t size) {
    uint8_t *b = out;
    uint64_t seed = mix(n, x, (size_t)n * cols * sizeof(float));
    for (uint32_t i = 0; i < cols / block; i++)
        fill(b + (size_t)i * stride * size, n * size, seed + i);
    go_wrong(out, ((cols / block - 1) * (size_t)stride + n) * size);
}

static void quantize_q8(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride) {
    quantize(out, x, cols, n, stride, QUANT_BLOCK, sizeof(struct act_q8));
}

static void quantize_q8_k(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride) {
    quantize(out, x, cols, n, stride, SUPER_BLOCK, sizeof(struct act_q8_k));
}

static void rmsnorm(float *out, const float *x, const float *w, uint32_t dim, float eps,
                    uint32_t n) {
    size_t bytes = (size_t)n * dim * sizeof(float);
    fill(out, bytes, mix(mix((uint64_t)(eps * 1e6f), x, bytes), w, dim * sizeof(float)));
    go_wrong(out, bytes);
}

static void rope(float *x, const float *table, uint32_t pos, uint32_t heads, uint32_t head_dim,
                 uint32_t rope_dim, uint32_t n) {
    size_t bytes = (size_t)n * heads * head_dim * sizeof(float);
    fill(x, bytes, mix(mix(pos, x, bytes), table, rope_dim * sizeof(float)));
    go_wrong(x, bytes);
}

static void store_kv(void *cache, enum kv_type type, const float *x, uint32_t kv_heads,
                     uint32_t ctx, uint32_t head_dim, uint32_t pos, uint32_t n) {
    uint8_t *b = cache;
    size_t row = (size_t)head_dim * (size_t)type;
    uint64_t seed = mix(type, x, (size_t)n * kv_heads * head_dim * sizeof(float));
    for (uint32_t h = 0; h < kv_heads; h++)
        fill(b + ((size_t)h * ctx + pos) * row, n * row, seed + h);
    go_wrong(b, (size_t)kv_heads * ctx * row);
}

static void attention(const struct attention_args *a) {
    size_t seen = ((a->kv_heads - 1) * (size_t)a->ctx + a->pos + a->n) * a->head_dim;
    uint32_t width = a->heads * a->head_dim;
    uint64_t seed = mix(a->pos, a->q, row_bytes(a->n, a->stride, width));
    seed = mix(mix(seed, a->k, seen * (size_t)a->type), a->v, seen * (size_t)a->type);
    fill(a->scratch, 2 * ATTENTION_BLOCK * a->head_dim * sizeof(float), (uintptr_t)a->scratch);
    for (uint32_t t = 0; t < a->n; t++)
        fill(a->out + t * (size_t)a->stride, width * sizeof(float), seed + t);
    go_wrong(a->out, row_bytes(a->n, a->stride, width));
}

/* It may leave anything in the memory that is its own, but write nothing around it. */
static void attention_around_scratch(const struct attention_args *a) {
    attention(a);
    a->scratch[2 * ATTENTION_BLOCK * a->head_dim] = 0;
}

static void swiglu(float *gate, const float *up, uint64_t count) {
    fill(gate, count * sizeof(float), mix(mix(1, gate, count * sizeof(float)), up, count * 4));
    go_wrong(gate, count * sizeof(float));
}

static void add(float *x, const float *y, uint64_t count) {
    fill(x, count * sizeof(float), mix(mix(2, x, count * sizeof(float)), y, count * 4));
    go_wrong(x, count * sizeof(float));
}

/* ---- calls as the engine makes them, each thread with memory of its own */

static _Thread_local float out[ROOM], in[ROOM], more[ROOM], weights[ROOM], scratch[ROOM];

static void prepare(unsigned seed) {
    for (unsigned i = 0; i < ROOM; i++) {
        seed = seed * 1664525 + 1013904223;
        out[i] = (float)(seed >> 8), in[i] = (float)(seed >> 9);
        more[i] = (float)(seed >> 10), weights[i] = (float)(seed >> 11);
    }
}

static void call_matmul_q8_0(void *code) {
    ((matmul_fn *)code)(out, 100, weights, in, 8, 64, 3, 0);
}
static void call_matmul_q4_k(void *code) {
    ((matmul_fn *)code)(out, 8, weights, in, 8, 512, 2, 0);
}
static void call_matmul_f32(void *code) {
    ((matmul_fn *)code)(out, 7, weights, in, 7, 33, 1, 0);
}
static void call_row(void *code) {
    ((row_fn *)code)(out, weights, 3, 8, 61);
}
static void call_quantize_q8(void *code) {
    ((quantize_fn *)code)(out, in, 64, 3, 5);
}
static void call_quantize_q8_k(void *code) {
    ((quantize_fn *)code)(out, in, 512, 1, 1);
}
static void call_rmsnorm(void *code) {
    ((rmsnorm_fn *)code)(out, in, weights, 61, 0.25f, 3);
}
static void call_rope(void *code) {
    ((rope_fn *)code)(out, weights, 9, 3, 8, 6, 2);
}
static void call_store_kv(void *code) {
    ((store_kv_fn *)code)(out, KV_F16, in, 2, 64, 8, 40, 3);
}
static void call_attention(void *code) {
    struct attention_args a = {.out = out, .q = in, .k = more, .v = weights, .scratch = scratch};
    a.type = KV_F16, a.heads = 4, a.kv_heads = 2, a.head_dim = 8, a.ctx = 64;
    a.stride = 50, a.pos = 20, a.n = 3;
    ((attention_fn *)code)(&a);
}
static void call_swiglu(void *code) {
    ((swiglu_fn *)code)(out, in, 61);
}
static void call_add(void *code) {
    ((add_fn *)code)(out, in, 64);
}

static const struct kind {
    const char *name;
    void *code;
    void (*call)(void *code);
} kinds[] = {
    {"matmul_q8_0", (void *)matmul_q8_0, call_matmul_q8_0},
    {"matmul_q4_k", (void *)matmul_q4_k, call_matmul_q4_k},
    {"matmul_f32", (void *)matmul_f32, call_matmul_f32},
    {"row_q8_0", (void *)row_q8_0, call_row},
    {"quantize_q8", (void *)quantize_q8, call_quantize_q8},
    {"quantize_q8_k", (void *)quantize_q8_k, call_quantize_q8_k},
    {"rmsnorm", (void *)rmsnorm, call_rmsnorm},
    {"rope", (void *)rope, call_rope},
    {"store_kv", (void *)store_kv, call_store_kv},
    {"attention", (void *)attention, call_attention},
    {"swiglu", (void *)swiglu, call_swiglu},
    {"add", (void *)add, call_add},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void need(bool condition, const char *what, const char *name) {
    if (condition)
        return;
    fprintf(stderr, "%s: %s\n", name, what);
    exit(1);
}

/* The trial's code is the good one whatever the candidate does. */
static const struct kind *current;
static unsigned checked;
static enum fault wanted;
static void candidate_runs(void) {
    fault = wanted;
}

#define CANDIDATE(name, parameters, ...)                                                           \
    static void bad_##name parameters {                                                            \
        candidate_runs();                                                                          \
        name(__VA_ARGS__);                                                                         \
        fault = NOTHING;                                                                           \
        checked++;                                                                                 \
    }
CANDIDATE(matmul_q8_0,
          (float *o, uint32_t s, const void *w, const void *x, uint32_t r, uint32_t c, uint32_t n,
           uint32_t a),
          o, s, w, x, r, c, n, a)
CANDIDATE(matmul_q4_k,
          (float *o, uint32_t s, const void *w, const void *x, uint32_t r, uint32_t c, uint32_t n,
           uint32_t a),
          o, s, w, x, r, c, n, a)
CANDIDATE(matmul_f32,
          (float *o, uint32_t s, const void *w, const void *x, uint32_t r, uint32_t c, uint32_t n,
           uint32_t a),
          o, s, w, x, r, c, n, a)
CANDIDATE(row_q8_0, (float *o, const void *w, uint32_t r, uint32_t rows, uint32_t cols), o, w, r,
          rows, cols)
CANDIDATE(quantize_q8, (void *o, const float *x, uint32_t c, uint32_t n, uint32_t s), o, x, c, n, s)
CANDIDATE(quantize_q8_k, (void *o, const float *x, uint32_t c, uint32_t n, uint32_t s), o, x, c, n,
          s)
CANDIDATE(rmsnorm, (float *o, const float *x, const float *w, uint32_t d, float e, uint32_t n), o,
          x, w, d, e, n)
CANDIDATE(rope,
          (float *x, const float *t, uint32_t p, uint32_t h, uint32_t d, uint32_t r, uint32_t n), x,
          t, p, h, d, r, n)
CANDIDATE(store_kv,
          (void *c, enum kv_type t, const float *x, uint32_t h, uint32_t ctx, uint32_t d,
           uint32_t p, uint32_t n),
          c, t, x, h, ctx, d, p, n)
CANDIDATE(attention, (const struct attention_args *a), a)
CANDIDATE(swiglu, (float *g, const float *u, uint64_t c), g, u, c)
CANDIDATE(add, (float *x, const float *y, uint64_t c), x, y, c)

static void *const candidates[] = {
    (void *)bad_matmul_q8_0, (void *)bad_matmul_q4_k, (void *)bad_matmul_f32,
    (void *)bad_row_q8_0,    (void *)bad_quantize_q8, (void *)bad_quantize_q8_k,
    (void *)bad_rmsnorm,     (void *)bad_rope,        (void *)bad_store_kv,
    (void *)bad_attention,   (void *)bad_swiglu,      (void *)bad_add,
};

static uint8_t *memory;
static struct trial trial;
static void *wrapper;

static void begin(const struct kind *kind, size_t call_bytes, uint32_t every) {
    memset(memory, 0x77, TRIAL_CALLS * (size_t)CALL_BYTES);
    trial = (struct trial){
        .code = kind->code, .memory = memory, .call_bytes = call_bytes, .every = every};
    wrapper = trial_begin(kind->name, &trial);
    need(wrapper, "a wrapper", kind->name);
}

/* The wrapper leaves in memory what the code does. */
static void call_as_without(const struct kind *kind, unsigned seed) {
    static _Thread_local float expected[ROOM];
    prepare(seed);
    kind->call(kind->code);
    memcpy(expected, out, sizeof out);
    prepare(seed);
    kind->call(wrapper);
    need(memcmp(expected, out, sizeof out) == 0, "the same results", kind->name);
}

static void one_kind(const struct kind *kind, void *candidate) {
    static const enum trial_verdict verdicts[] = {TRIAL_EQUAL,   TRIAL_DIFFERS, TRIAL_DIFFERS,
                                                  TRIAL_OVERRUN, TRIAL_OVERRUN, TRIAL_OVERRUN};
    /* Products again with one token, three, and eight, and one of these is timed. */
    const bool product = strncmp(kind->name, "matmul_", strlen("matmul_")) == 0;
    const unsigned all = product ? 4 * TRIAL_CALLS + 12 : TRIAL_CALLS;
    begin(kind, CALL_BYTES, 3);
    for (unsigned i = 0; i < 3 * TRIAL_CALLS + 5; i++)
        call_as_without(kind, i + 1);
    need(trial.done == TRIAL_CALLS, "so many calls are taken down", kind->name);
    prepare(99); /* what was there then is not there any more */
    memset(weights, 0x11, sizeof weights);
    for (unsigned i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        wanted = i, checked = 0;
        need(trial_check(candidate) == verdicts[i], "the right verdict", kind->name);
        need(checked == (i == 0 ? all : 1), "each call, up to a wrong one", kind->name);
        for (unsigned side = 0; side < 2; side++)
            need((trial.several[side] > 0) == product, "products are timed", kind->name);
    }
    trial_end();
}

static void too_large(const struct kind *kind, void *candidate) {
    begin(kind, 64, 1);
    for (unsigned i = 0; i < TRIAL_CALLS; i++)
        call_as_without(kind, i + 1);
    checked = 0;
    need(trial.done == 0, "they are passed over", kind->name);
    trial.seen = TRIAL_SEEN_MAX;
    for (unsigned i = 0; i < 2; i++)
        call_as_without(kind, i + 1);
    need(trial.done == TRIAL_CALLS, "that has an end", kind->name);
    need(trial_check(candidate) == TRIAL_TOO_LARGE && checked == 0, "none fits", kind->name);
    trial_end();
}

static void *many_calls(void *seed) {
    for (unsigned i = 0; i < 500; i++)
        call_as_without(current, (unsigned)(uintptr_t)seed + i);
    return NULL;
}

static void several_cores(const struct kind *kind, void *candidate) {
    pthread_t threads[4];
    current = kind;
    begin(kind, CALL_BYTES, 7);
    for (uintptr_t i = 0; i < 4; i++)
        need(pthread_create(&threads[i], NULL, many_calls, (void *)(i << 16)) == 0, "a thread",
             kind->name);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    need(trial.done == TRIAL_CALLS, "so many calls, whoever makes them", kind->name);
    wanted = NOTHING;
    need(trial_check(candidate) == TRIAL_EQUAL, "equal", kind->name);
    trial_end();
}

int main(void) {
    memory = aligned_alloc(64, TRIAL_CALLS * (size_t)CALL_BYTES);
    need(memory && !trial_begin("softmax", &trial), "operations that are not known are refused",
         "softmax");
    for (unsigned i = 0; i < KINDS; i++) {
        one_kind(&kinds[i], candidates[i]);
        too_large(&kinds[i], candidates[i]);
        several_cores(&kinds[i], candidates[i]);
    }
    begin(&kinds[9], CALL_BYTES, 1);
    for (unsigned i = 0; i < TRIAL_CALLS; i++)
        call_as_without(&kinds[9], i);
    need(trial_check((void *)attention_around_scratch) == TRIAL_OVERRUN, "scratch has an end",
         "attention");
    trial_end();
    free(memory);
    printf("%zu kinds\n", KINDS);
    return 0;
}
