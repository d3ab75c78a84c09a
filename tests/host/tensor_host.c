/* tensor_host.c - runs tensor operations on buffers from a pipe, for test_tensor.py.
 *
 * A request on standard input is a struct request, then its buffers; the answer on standard output
 * is all buffers after the operation. Every buffer is exactly as large as the request says and what
 * lies behind it is out of bounds: by AddressSanitizer, or by an inaccessible page in a build
 * without. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fluid/tensor.h"
#include "tensor_types.h"

#define MAX_ARGS 8
#define MAX_BUFFERS 5
#define GUARD_SIZE 4096

struct request {
    char op[16];
    uint32_t args[MAX_ARGS];
    uint32_t size[MAX_BUFFERS]; /* bytes; 0: buffer absent */
};

struct buffer {
    void *data;
    void *base; /* what was allocated */
    size_t base_size;
};

#define DECLARE(name)                                                                              \
    matmul_fn matmul_##name;                                                                       \
    row_fn row_##name;
TENSOR_TYPES(DECLARE)
#define DECLARE_PACK(name) pack_fn pack_##name;
TENSOR_PACKED_TYPES(DECLARE_PACK)
quantize_fn quantize_q8, quantize_q8_k;
rmsnorm_fn rmsnorm;
rope_fn rope;
store_kv_fn store_kv;
attention_fn attention;
swiglu_fn swiglu;
add_fn add;

static const struct {
    const char *name;
    matmul_fn *matmul;
    row_fn *row;
    pack_fn *pack; /* NULL: rows stay as they are */
} formats[] = {
#define FLOAT_ROW(name) {#name, matmul_##name, row_##name, NULL},
#define PACKED_ROW(name) {#name, matmul_##name, row_##name, pack_##name},
    TENSOR_FLOAT_TYPES(FLOAT_ROW) TENSOR_PACKED_TYPES(PACKED_ROW)};

static void fail(const char *what) {
    fprintf(stderr, "tensor_host: %s\n", what);
    exit(2);
}

static struct buffer buffer_new(size_t size) {
    struct buffer b = {0};
    if (size == 0)
        return b;
#if __has_feature(address_sanitizer)
    b.data = b.base = malloc(size);
    if (!b.data)
        fail("no memory");
#else
    size_t pages = (size + GUARD_SIZE - 1) / GUARD_SIZE * GUARD_SIZE;
    b.base_size = pages + GUARD_SIZE;
    b.base = mmap(NULL, b.base_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b.base == MAP_FAILED || mprotect((char *)b.base + pages, GUARD_SIZE, PROT_NONE) != 0)
        fail("no memory");
    b.data = (char *)b.base + pages - size;
#endif
    return b;
}

static void buffer_free(struct buffer *b) {
    if (b->base_size)
        munmap(b->base, b->base_size);
    else
        free(b->base);
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* out (n, out_stride), w, x; args: out_stride, rows, cols, n, ahead. Or out, w; args: r, rows,
 * cols. Or out, w; args: cols. */
static bool run_format(const char *op, const uint32_t *a, void *const b[]) {
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strncmp(op, "matmul_", 7) == 0 && strcmp(op + 7, formats[i].name) == 0) {
            formats[i].matmul(b[0], a[0], b[1], b[2], a[1], a[2], a[3], a[4]);
            return true;
        }
        if (strncmp(op, "row_", 4) == 0 && strcmp(op + 4, formats[i].name) == 0) {
            formats[i].row(b[0], b[1], a[0], a[1], a[2]);
            return true;
        }
        if (strncmp(op, "pack_", 5) == 0 && strcmp(op + 5, formats[i].name) == 0) {
            formats[i].pack(b[0], b[1], a[0]);
            return true;
        }
    }
    return false;
}

/* b: out, q, k, v, scratch; a: heads, kv_heads, head_dim, ctx, pos, n, type. */
static void run_attention(const uint32_t *a, void *const b[]) {
    struct attention_args args = {
        .out = b[0],
        .q = b[1],
        .k = b[2],
        .v = b[3],
        .scratch = b[4],
        .heads = a[0],
        .kv_heads = a[1],
        .head_dim = a[2],
        .ctx = a[3],
        .stride = a[0] * a[2],
        .pos = a[4],
        .n = a[5],
        .type = a[6],
    };
    attention(&args);
}

static void run(const char *op, const uint32_t *a, void *const b[]) {
    if (run_format(op, a, b))
        return;
    if (strcmp(op, "quantize_q8") == 0)
        quantize_q8(b[0], b[1], a[0], a[1], a[1]);
    else if (strcmp(op, "quantize_q8_k") == 0)
        quantize_q8_k(b[0], b[1], a[0], a[1], a[1]);
    else if (strcmp(op, "rmsnorm") == 0)
        rmsnorm(b[0], b[1], b[2], a[0], float_of(a[1]), a[2]);
    else if (strcmp(op, "rope") == 0)
        rope(b[0], b[1], a[0], a[1], a[2], a[3], a[4]);
    else if (strcmp(op, "store_kv") == 0)
        store_kv(b[0], a[0], b[1], a[1], a[2], a[3], a[4], a[5]);
    else if (strcmp(op, "attention") == 0)
        run_attention(a, b);
    else if (strcmp(op, "swiglu") == 0)
        swiglu(b[0], b[1], a[0]);
    else if (strcmp(op, "add") == 0)
        add(b[0], b[1], a[0]);
    else
        fail("unknown operation");
}

int main(void) {
    struct request request;
    while (fread(&request, sizeof(request), 1, stdin) == 1) {
        struct buffer buffers[MAX_BUFFERS];
        void *data[MAX_BUFFERS];
        for (int i = 0; i < MAX_BUFFERS; i++) {
            buffers[i] = buffer_new(request.size[i]);
            data[i] = buffers[i].data;
            if (request.size[i] && fread(data[i], request.size[i], 1, stdin) != 1)
                fail("request ends early");
        }
        request.op[sizeof(request.op) - 1] = 0;
        run(request.op, request.args, data);
        for (int i = 0; i < MAX_BUFFERS; i++) {
            if (request.size[i])
                fwrite(data[i], request.size[i], 1, stdout);
            buffer_free(&buffers[i]);
        }
        fflush(stdout);
    }
    return 0;
}
