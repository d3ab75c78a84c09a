/* share.c - rows of a matrix product, tokens and heads of attention: each is computed as it would
 * be alone, so that neither cores nor pieces change a bit. Between groups of pieces the console is
 * polled: Ctrl-C need not wait for the end of a large matrix. */
#include "share.h"

#include "gguf.h"

#define PIECE_WORK (1u << 19)  /* most multiplications of a piece: some 20 us, or 2 ms emulated */
#define PIECES_PER_CORE 4      /* at least, for the cores to end at about the same time */
#define ATTENTION_TOKENS 16u   /* of a piece: they use a part of K and V while it is at hand */
#define LOOK_CYCLES (1u << 22) /* between two looks at the console: one or two milliseconds */
#define LOOK_WORK (1u << 20)   /* the same in multiplications, as long as their cost is unknown */

static uint64_t lower(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Pieces of so much work until the next look at the console: one for each core at least, which
 * take as long together as one of them. */
static uint32_t pieces_together(const struct share *share, uint64_t work) {
    uint64_t cycles = work * share->cost / 1024;
    uint64_t pieces = cycles > 0 ? LOOK_CYCLES / cycles + 1 : LOOK_WORK / (work + 1) + 1;
    return pieces > fluid_core_count() ? (uint32_t)pieces : fluid_core_count();
}

/* Without a clock a multiplication counts as LOOK_CYCLES / LOOK_WORK cycles. */
static void look(struct share *share, uint64_t work, uint64_t cycles) {
    if (cycles > 0)
        share->cost = (3 * share->cost + cycles * 1024 / (work + 1) + 3) / 4;
    share->cycles += cycles > 0 ? cycles : LOOK_CYCLES / LOOK_WORK * work;
    if (share->cycles < LOOK_CYCLES)
        return;
    share->cycles = 0;
    share->stopped = fluid_poll();
}

/* Pieces 0 .. count - 1 of so much work each. */
static void run(struct share *share, uint32_t count, uint64_t work, fluid_parallel_fn *piece,
                void *context, uint32_t *first) {
    for (*first = 0; *first < count && !share->stopped;) {
        uint32_t pieces = (uint32_t)lower(count - *first, pieces_together(share, work));
        uint64_t begin = fluid_call_begin();
        fluid_parallel_for(pieces, piece, context);
        look(share, pieces * work, fluid_call_begin() - begin);
        *first += pieces;
    }
}

struct part {
    struct product product;
    matmul_fn *code;
    uint32_t ahead;
    uint64_t row_bytes;
    uint32_t rows, pieces; /* rows of a piece */
};

struct parts {
    struct part part[SHARE_PRODUCTS];
    uint32_t n;
    uint32_t first; /* piece of index 0 */
};

static void multiply_piece(void *context, uint32_t index, uint32_t core) {
    const struct parts *all = context;
    const struct part *p = all->part;
    uint32_t piece = all->first + index;
    (void)core;
    for (; piece >= p->pieces; p++)
        piece -= p->pieces;
    const struct matrix *w = p->product.w;
    uint32_t row = piece * p->rows;
    p->code(p->product.out + row, w->rows, (const char *)w->data + row * p->row_bytes, p->product.x,
            (uint32_t)lower(w->rows - row, p->rows), w->cols, all->n, p->ahead);
}

static uint64_t multiplications(const struct matrix *w, uint32_t n) {
    return (uint64_t)w->rows * w->cols * n;
}

/* Groups of rows that are packed stay whole. */
static void split(struct part *part, const struct product *product, uint64_t work, uint32_t n) {
    const struct matrix *w = product->w;
    uint64_t rows = work / ((uint64_t)w->cols * n) / PACK_ROWS * PACK_ROWS;
    part->product = *product;
    part->code = (matmul_fn *)w->matmul->code;
    part->ahead = w->matmul->ahead;
    part->row_bytes = gguf_row_bytes(w->type, w->cols);
    part->rows = rows == 0 ? PACK_ROWS : (uint32_t)lower(rows, (uint64_t)w->rows + PACK_ROWS);
    part->pieces = w->rows / part->rows + (w->rows % part->rows != 0);
}

/* A call of each, with its part of all cycles by the number of multiplications. */
static void record(const struct product *products, uint32_t count, uint32_t n, uint64_t total,
                   uint64_t cycles) {
    for (uint32_t i = 0; i < count; i++) {
        const struct matrix *w = products[i].w;
        uint64_t part = cycles / 1024 * (multiplications(w, n) * 1024 / (total + 1) + 1);
        fluid_call_end(w->matmul, fluid_call_begin() - part);
    }
}

void share_products(struct share *share, const struct product *products, uint32_t count,
                    uint32_t n) {
    struct parts all = {.n = n};
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += multiplications(products[i].w, n);
    uint64_t work = 0, most_of_core = total / (PIECES_PER_CORE * fluid_core_count());
    uint32_t pieces = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t chosen = products[i].w->matmul->piece_work;
        uint64_t piece = lower(chosen != 0 ? chosen : PIECE_WORK, most_of_core);
        split(&all.part[i], &products[i], piece, n);
        pieces += all.part[i].pieces;
        work = piece > work ? piece : work;
    }
    uint64_t begin = fluid_call_begin();
    run(share, pieces, work, multiply_piece, &all, &all.first);
    if (!share->stopped) /* else it was cut short */
        record(products, count, n, total, fluid_call_begin() - begin);
}

struct heads {
    attention_fn *code;
    const struct attention_args *args;
    uint32_t heads, tokens; /* of a piece; all heads share one of K and V */
    uint32_t across;        /* pieces of the same tokens */
    uint32_t first;
};

static void attend_piece(void *context, uint32_t index, uint32_t core) {
    const struct heads *h = context;
    struct attention_args part = *h->args;
    uint32_t piece = h->first + index;
    uint32_t token = piece / h->across * h->tokens, head = piece % h->across * h->heads;
    size_t at = (size_t)token * part.stride + (size_t)head * part.head_dim;
    size_t kv_head = head / (part.heads / part.kv_heads);
    size_t cached = kv_head * part.ctx * kv_row_bytes(part.type, part.head_dim);
    part.scratch += core * 2 * (size_t)ATTENTION_BLOCK * part.head_dim;
    part.out += at;
    part.q += at;
    part.k = (const char *)part.k + cached;
    part.v = (const char *)part.v + cached;
    part.heads = h->heads;
    part.kv_heads = 1;
    part.pos += token;
    part.n = (uint32_t)lower(part.n - token, h->tokens);
    h->code(&part);
}

/* Of the heads that share one of K and V, how many are a piece: what the core that has most to do
 * takes least time for. Unpacking K and V takes about as long as a token's head. */
static uint32_t heads_together(const struct attention_args *args) {
    const uint32_t group = args->heads / args->kv_heads, cores = fluid_core_count();
    uint32_t best = group, least = UINT32_MAX;
    for (uint32_t heads = group; heads > 0; heads--) {
        uint32_t pieces = args->heads / heads, turns = pieces / cores + (pieces % cores != 0);
        if (group % heads != 0 || turns * (heads * args->n + 1) >= least)
            continue;
        best = heads;
        least = turns * (heads * args->n + 1);
    }
    return best;
}

/* Of many tokens all heads that share one of K and V go together. */
void share_attention(struct share *share, struct fluid_slot *operation,
                     const struct attention_args *args) {
    uint64_t positions = (uint64_t)args->pos + args->n;
    struct heads h = {
        .code = (attention_fn *)operation->code,
        .args = args,
        .heads = args->n <= ATTENTION_TOKENS ? heads_together(args) : args->heads / args->kv_heads,
        .tokens = ATTENTION_TOKENS,
    };
    h.across = args->heads / h.heads;
    uint32_t rows = args->n / h.tokens + (args->n % h.tokens != 0);
    uint64_t begin = fluid_call_begin();
    run(share, rows * h.across, 2 * h.heads * lower(args->n, h.tokens) * positions * args->head_dim,
        attend_piece, &h, &h.first);
    if (!share->stopped)
        fluid_call_end(operation, begin);
}

struct ranges {
    share_tokens_fn *function;
    const void *context;
    uint32_t n, together; /* tokens of a piece */
};

static void range_piece(void *context, uint32_t index, uint32_t core) {
    const struct ranges *r = context;
    uint32_t first = index * r->together;
    (void)core;
    r->function(r->context, first, (uint32_t)lower(r->n - first, r->together));
}

void share_tokens(struct fluid_slot *operation, uint32_t n, share_tokens_fn *function,
                  const void *context) {
    uint32_t pieces = fluid_core_count() > 1 ? 2 * fluid_core_count() : 1;
    struct ranges r = {function, context, n, (n - 1) / pieces + 1};
    uint64_t begin = fluid_call_begin();
    if (n == 1)
        function(context, 0, 1);
    else
        fluid_parallel_for((n - 1) / r.together + 1, range_piece, &r);
    fluid_call_end(operation, begin);
}
