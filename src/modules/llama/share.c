/* share.c - rows of a matrix product, tokens and heads of attention: each is computed as it would
 * be alone, so that neither cores nor pieces change a bit. Between groups of pieces the console is
 * polled: Ctrl-C need not wait for the end of a large matrix. */
#include "share.h"

#include "gguf.h"

#define PIECE_WORK (1u << 18) /* multiplications of a piece: some 20 us, or 1 ms when emulated */
#define POLL_WORK (1u << 20)  /* between two looks at the console */
#define ROWS_TOGETHER 16u /* the tensor kernels' groups stay whole, and rows of blocks aligned */

static uint32_t lower(uint64_t a, uint64_t b) {
    return (uint32_t)(a < b ? a : b);
}

/* Pieces 0 .. count - 1 of so much work each. */
static void run(struct share *share, uint32_t count, uint64_t work, fluid_parallel_fn *piece,
                void *context, uint32_t *first) {
    uint32_t together = lower(POLL_WORK / (work + 1) + 1, count);
    for (*first = 0; *first < count && !share->stopped; *first += together) {
        uint32_t pieces = lower(count - *first, together);
        fluid_parallel_for(pieces, piece, context);
        share->work += pieces * work;
        if (share->work < POLL_WORK)
            continue;
        share->work = 0;
        share->stopped = fluid_poll();
    }
}

struct product {
    matmul_fn *code;
    float *out;
    const struct matrix *w;
    const void *x;
    uint32_t n, rows; /* of a piece */
    uint64_t row_bytes;
    uint32_t first; /* piece of index 0 */
};

static void multiply_piece(void *context, uint32_t index, uint32_t core) {
    const struct product *p = context;
    uint32_t row = (p->first + index) * p->rows;
    (void)core;
    p->code(p->out + row, p->w->rows, (const char *)p->w->data + row * p->row_bytes, p->x,
            lower(p->w->rows - row, p->rows), p->w->cols, p->n);
}

void share_product(struct share *share, const struct matrix *w, const void *x, float *out,
                   uint32_t n) {
    uint64_t rows = PIECE_WORK / ((uint64_t)w->cols * n) / ROWS_TOGETHER * ROWS_TOGETHER;
    struct product p = {
        .code = (matmul_fn *)w->matmul->code,
        .out = out,
        .w = w,
        .x = x,
        .n = n,
        .rows = rows == 0 ? ROWS_TOGETHER : lower(rows, UINT32_MAX / 2),
        .row_bytes = gguf_row_bytes(w->type, w->cols),
    };
    uint32_t count = w->rows / p.rows + (w->rows % p.rows != 0);
    uint64_t begin = fluid_call_begin();
    run(share, count, (uint64_t)p.rows * w->cols * n, multiply_piece, &p, &p.first);
    if (!share->stopped) /* else it was cut short */
        fluid_call_end(w->matmul, begin);
}

struct heads {
    attention_fn *code;
    const struct attention_args *args;
    uint32_t first;
};

/* The heads of one token that share one head of K and V. */
static void attend_piece(void *context, uint32_t index, uint32_t core) {
    const struct heads *h = context;
    struct attention_args part = *h->args;
    uint32_t group = part.heads / part.kv_heads, piece = h->first + index;
    uint32_t token = piece / part.kv_heads, kv_head = piece % part.kv_heads;
    size_t head = (size_t)token * part.heads + (size_t)kv_head * group;
    size_t cached = (size_t)kv_head * part.ctx * part.head_dim;
    part.out += head * part.head_dim;
    part.q += head * part.head_dim;
    part.k += cached;
    part.v += cached;
    part.scores += (size_t)core * part.ctx;
    part.heads = group;
    part.kv_heads = 1;
    part.pos += token;
    part.n = 1;
    h->code(&part);
}

void share_attention(struct share *share, struct fluid_slot *operation,
                     const struct attention_args *args) {
    struct heads h = {.code = (attention_fn *)operation->code, .args = args};
    uint64_t group = args->heads / args->kv_heads, positions = (uint64_t)args->pos + args->n;
    uint64_t begin = fluid_call_begin();
    run(share, args->n * args->kv_heads, 2 * group * positions * args->head_dim, attend_piece, &h,
        &h.first);
    if (!share->stopped)
        fluid_call_end(operation, begin);
}
