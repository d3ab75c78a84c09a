/* calls.h - calls of tensor operations as data: their arguments, and the memory behind them. */
#ifndef TRIAL_CALLS_H
#define TRIAL_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fluid/tensor.h"
#include "fluid/trial.h"

enum kind {
    KIND_NONE,
    KIND_MATMUL,
    KIND_ROW,
    KIND_QUANTIZE,
    KIND_RMSNORM,
    KIND_ROPE,
    KIND_STORE_KV,
    KIND_ATTENTION,
    KIND_SWIGLU,
    KIND_ADD,
};

/* An operation: its kind, and the blocks that activations are in. */
struct operation {
    const char *name;
    enum kind kind;
    uint32_t block_cols, block_bytes;
};

struct call {
    const struct operation *operation; /* NULL: not taken down */
    union {
        struct {
            float *out;
            uint32_t out_stride;
            const void *w, *x;
            uint32_t rows, cols, n, ahead;
        } matmul;
        struct {
            float *out;
            const void *w;
            uint32_t r, rows, cols;
        } row;
        struct {
            void *out;
            const float *x;
            uint32_t cols, n, stride;
        } quantize;
        struct {
            float *out;
            const float *x, *w;
            uint32_t dim, n;
            float eps;
        } rmsnorm;
        struct {
            float *x;
            const float *table;
            uint32_t pos, heads, head_dim, rope_dim, n;
        } rope;
        struct {
            void *cache;
            enum kv_type type;
            const float *x;
            uint32_t kv_heads, ctx, head_dim, pos, n;
        } store_kv;
        struct attention_args attention;
        struct {
            float *gate;
            const float *up;
            uint64_t count;
        } swiglu;
        struct {
            float *x;
            const float *y;
            uint64_t count;
        } add;
    };
};

/* What an operation does with a piece of memory. */
enum use {
    USE_CONSTANT, /* reads it; it stays as it is as long as the model is open */
    USE_IN,       /* reads it */
    USE_OUT,      /* writes it */
    USE_CHANGE,   /* both */
    USE_SCRATCH,  /* writes it, and nobody looks at it afterwards */
};

struct buffer {
    void **pointer; /* the argument, within the call */
    uint64_t bytes;
    enum use use;
};

#define BUFFERS_MAX 5u

/* The memory of a call, in `buffers`; returns how many. */
uint32_t call_buffers(struct call *call, struct buffer buffers[BUFFERS_MAX]);
void call_run(const struct call *call, void *code);
#define CALL_SEVERAL 8u /* tokens of the last of these calls */
/* Makes another call of one that was taken down, number `which` from 1 on, with activations at
 * `room`: what the same code does by other instructions. False: there are no more. */
bool call_vary(struct call *call, uint32_t which, uint8_t *room);
/* Bytes that call_vary may need at `room`, and those of results that such calls may have. */
uint64_t call_vary_room(const struct call *call);
uint64_t call_vary_results(const struct call *call);
/* NULL: an operation that is not known here. */
const struct operation *operation_find(const char *name);

/* wrap.c: what takes the place of the code of a kind. */
void *wrapper_of(enum kind kind);
/* trial.c: the trial that wrappers work for, and one call for it; NULL: this one is not wanted.
 * It is set before trial_begin returns. */
extern struct trial *trial_current;
extern const struct operation *trial_operation;
struct call *trial_claim(void);
/* Copies what the call reads, before it is made. */
void trial_keep(struct call *call);

#endif
