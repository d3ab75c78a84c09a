/* vary.c - a matrix product does one token and several tokens by different instructions; a call
 * that was taken down is one of these. */
#include <string.h>

#include "calls.h"

static const uint32_t tokens[] = {0, 1, 3, CALL_SEVERAL}; /* of call number `which` */
#define LAST (sizeof tokens / sizeof *tokens - 1)

/* Bytes of one token of one block. */
static uint32_t unit(const struct operation *o) {
    return o->block_cols > 1 ? o->block_bytes : 0;
}

uint64_t call_vary_room(const struct call *c) {
    if (c->operation->kind != KIND_MATMUL)
        return 0;
    return (uint64_t)c->matmul.cols / c->operation->block_cols * c->operation->block_bytes *
           CALL_SEVERAL;
}

uint64_t call_vary_results(const struct call *c) {
    return c->operation->kind == KIND_MATMUL
               ? (uint64_t)c->matmul.rows * CALL_SEVERAL * sizeof(float)
               : 0;
}

/* n tokens, which repeat those that there are; quantised ones lie (blocks, n), floats (n, cols). */
static void set_tokens(struct call *c, uint32_t n, uint8_t *room) {
    const struct operation *o = c->operation;
    const uint8_t *from = c->matmul.x;
    uint32_t bytes = unit(o) != 0 ? unit(o) : c->matmul.cols * o->block_bytes;
    uint32_t blocks = unit(o) != 0 ? c->matmul.cols / o->block_cols : 1;
    for (uint32_t b = 0; b < blocks; b++)
        for (uint32_t t = 0; t < n; t++)
            memcpy(room + ((size_t)b * n + t) * bytes,
                   from + ((size_t)b * c->matmul.n + t % c->matmul.n) * bytes, bytes);
    c->matmul.x = room;
    c->matmul.n = n;
}

bool call_vary(struct call *c, uint32_t which, uint8_t *room) {
    if (c->operation->kind != KIND_MATMUL || which > LAST)
        return false;
    set_tokens(c, tokens[which], room);
    return true;
}
