/* gguf.c - parses a GGUF file in place and checks everything that it claims. */
#include "gguf.h"

#include "checked.h"

#define GGUF_MAGIC 0x46554747u /* "GGUF" */
#define MAX_ENTRIES 65536  /* keys, tensors: far above any model, and bounds what is allocated */
#define MAX_KEY 65535      /* bytes, GGUF specification */
#define MAX_TENSOR_NAME 64 /* bytes, GGUF specification */
#define MIN_VALUE_BYTES 13 /* smallest entry: key length 8, type 4, value 1 */
#define MIN_TENSOR_BYTES                                                                           \
    32 /* smallest entry: name length 8, dims 4, one dim 8, type 4, offset 8                       \
        */
#define RECOPY "file damaged? re-copy MODEL.GGUF"

struct reader {
    const uint8_t *base;
    uint64_t size, at;
    struct fluid_error *err;
};

/* The next n bytes, or NULL and E-GGUF-03. field: what they are, for the message. */
static const uint8_t *take(struct reader *r, uint64_t n, const char *field) {
    if (!checked_range(r->at, n, r->size)) {
        fluid_fail(r->err, "E-GGUF-03",
                   "%s at byte %llu: %llu bytes expected, %llu left in the file (" RECOPY ")",
                   field, (unsigned long long)r->at, (unsigned long long)n,
                   (unsigned long long)(r->size - r->at));
        return NULL;
    }
    const uint8_t *p = r->base + r->at;
    r->at += n;
    return p;
}

static int take_u32(struct reader *r, const char *field, uint32_t *out) {
    const uint8_t *p = take(r, sizeof *out, field);
    if (p == NULL)
        return -1;
    *out = load_u32(p);
    return 0;
}

static int take_u64(struct reader *r, const char *field, uint64_t *out) {
    const uint8_t *p = take(r, sizeof *out, field);
    if (p == NULL)
        return -1;
    *out = load_u64(p);
    return 0;
}

static int take_string(struct reader *r, const char *field, uint64_t max, struct span *out) {
    uint64_t n;
    if (take_u64(r, field, &n) != 0)
        return -1;
    if (n > max)
        return fluid_fail(
            r->err, "E-GGUF-04",
            "%s at byte %llu: at most %llu bytes expected, length %llu found (" RECOPY ")", field,
            (unsigned long long)(r->at - sizeof n), (unsigned long long)max, (unsigned long long)n);
    const uint8_t *p = take(r, n, field);
    if (p == NULL)
        return -1;
    *out = (struct span){(const char *)p, (size_t)n};
    return 0;
}

static int take_header(struct reader *r, struct gguf *g) {
    uint32_t magic;
    uint64_t tensors, values;
    if (take_u32(r, "magic", &magic) != 0)
        return -1;
    if (magic != GGUF_MAGIC)
        return fluid_fail(r->err, "E-GGUF-01",
                          "magic: 0x%08x (GGUF) expected, 0x%08x found (not a GGUF file? copy one "
                          "as MODEL.GGUF)",
                          GGUF_MAGIC, magic);
    if (take_u32(r, "version", &g->version) != 0)
        return -1;
    if (g->version != 2 && g->version != 3)
        return fluid_fail(r->err, "E-GGUF-02",
                          "version: 2 or 3 (little-endian) expected, %u found (convert the model "
                          "again with a current converter)",
                          g->version);
    if (take_u64(r, "tensor_count", &tensors) != 0 || take_u64(r, "kv_count", &values) != 0)
        return -1;
    uint64_t left = r->size - r->at;
    if (tensors > MAX_ENTRIES || tensors > left / MIN_TENSOR_BYTES)
        return fluid_fail(r->err, "E-GGUF-04",
                          "tensor_count: at most %u in %llu bytes expected, %llu found (" RECOPY
                          ")",
                          MAX_ENTRIES, (unsigned long long)r->size, (unsigned long long)tensors);
    if (values > MAX_ENTRIES || values > left / MIN_VALUE_BYTES)
        return fluid_fail(r->err, "E-GGUF-04",
                          "kv_count: at most %u in %llu bytes expected, %llu found (" RECOPY ")",
                          MAX_ENTRIES, (unsigned long long)r->size, (unsigned long long)values);
    g->n_tensors = (uint32_t)tensors;
    g->n_values = (uint32_t)values;
    return 0;
}

/* Steps over the elements of v, from r->at on. */
static int take_elements(struct reader *r, struct gguf_value *v) {
    struct span text;
    uint64_t start = r->at;
    v->at = r->base + start;
    if (v->kind == GGUF_STRING) {
        for (uint64_t i = 0; i < v->count; i++)
            if (take_string(r, "string", r->size, &text) != 0)
                return -1;
    } else if (take(r, checked_mul(v->count, gguf_kind_size(v->kind)), "value") == NULL) {
        return -1;
    }
    v->bytes = r->at - start;
    for (uint64_t i = 0; v->kind == GGUF_BOOL && i < v->count; i++)
        if (v->at[i] > 1)
            return fluid_fail(r->err, "E-GGUF-05",
                              "key %.*s: bool 0 or 1 expected, %u found (" RECOPY ")",
                              SPAN_ARG(v->key), v->at[i]);
    return 0;
}

static int take_value(struct reader *r, struct gguf_value *v) {
    if (take_string(r, "key", MAX_KEY, &v->key) != 0 || take_u32(r, "value type", &v->kind) != 0)
        return -1;
    v->count = 1;
    v->is_array = v->kind == GGUF_ARRAY;
    if (v->is_array &&
        (take_u32(r, "array type", &v->kind) != 0 || take_u64(r, "array count", &v->count) != 0))
        return -1;
    if (v->kind >= GGUF_KINDS || v->kind == GGUF_ARRAY)
        return fluid_fail(
            r->err, "E-GGUF-05", "key %.*s: value type 0 to %d%s expected, %u found (" RECOPY ")",
            SPAN_ARG(v->key), GGUF_KINDS - 1, v->is_array ? " except array" : "", v->kind);
    return take_elements(r, v);
}

static int take_tensor(struct reader *r, struct gguf_tensor *t, uint64_t *offset) {
    if (take_string(r, "tensor name", MAX_TENSOR_NAME, &t->name) != 0 ||
        take_u32(r, "tensor dims", &t->n_dims) != 0)
        return -1;
    if (t->n_dims < 1 || t->n_dims > GGUF_MAX_DIMS)
        return fluid_fail(r->err, "E-GGUF-07",
                          "tensor %.*s: 1 to %d dims expected, %u found (" RECOPY ")",
                          SPAN_ARG(t->name), GGUF_MAX_DIMS, t->n_dims);
    uint64_t rows = 1;
    for (uint32_t d = 0; d < GGUF_MAX_DIMS; d++) {
        t->dim[d] = 1;
        if (d < t->n_dims && take_u64(r, "tensor dim", &t->dim[d]) != 0)
            return -1;
        if (t->dim[d] < 1 || t->dim[d] > UINT32_MAX)
            return fluid_fail(r->err, "E-GGUF-07",
                              "tensor %.*s: dim %u of 1 to 4294967295 expected, %llu found (" RECOPY
                              ")",
                              SPAN_ARG(t->name), d, (unsigned long long)t->dim[d]);
        rows = d == 0 ? 1 : checked_mul(rows, t->dim[d]);
    }
    if (take_u32(r, "tensor type", &t->type) != 0 || take_u64(r, "tensor offset", offset) != 0)
        return -1;
    if (gguf_type_block(t->type) == 0)
        return fluid_fail(
            r->err, "E-GGUF-08",
            "tensor %.*s: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K "
            "expected, %s (type %u) found (convert the model to one of these)",
            SPAN_ARG(t->name), gguf_type_name(t->type), t->type);
    uint64_t row = gguf_row_bytes(t->type, t->dim[0]);
    if (row == 0)
        return fluid_fail(
            r->err, "E-GGUF-07",
            "tensor %.*s: rows of a multiple of %u values expected for %s, %llu found "
            "(" RECOPY ")",
            SPAN_ARG(t->name), gguf_type_block(t->type), gguf_type_name(t->type),
            (unsigned long long)t->dim[0]);
    t->bytes = checked_mul(rows, row);
    return 0;
}

static struct span key_of(const void *owner, uint32_t i) {
    return ((const struct gguf *)owner)->values[i].key;
}

static struct span name_of(const void *owner, uint32_t i) {
    return ((const struct gguf *)owner)->tensors[i].name;
}

static int place_tensors(struct reader *r, struct gguf *g, const uint64_t *offsets) {
    uint32_t alignment;
    if (gguf_u32(g, "general.alignment", 1, 1u << 20, GGUF_ALIGNMENT, &alignment, r->err) != 0)
        return -1;
    if (alignment % 8 != 0 || (alignment & (alignment - 1)) != 0)
        return fluid_fail(
            r->err, "E-GGUF-09",
            "key general.alignment: a power of two from 8 on expected, %u found (" RECOPY ")",
            alignment);
    uint64_t data = checked_align(r->at, alignment);
    for (uint32_t i = 0; i < g->n_tensors; i++) {
        struct gguf_tensor *t = &g->tensors[i];
        uint64_t at = checked_add(data, offsets[i]);
        if (offsets[i] % alignment != 0)
            return fluid_fail(
                r->err, "E-GGUF-10",
                "tensor %.*s: an offset that is a multiple of %u expected, %llu found "
                "(" RECOPY ")",
                SPAN_ARG(t->name), alignment, (unsigned long long)offsets[i]);
        if (!checked_range(at, t->bytes, g->size))
            return fluid_fail(r->err, "E-GGUF-10",
                              "tensor %.*s: data of %llu bytes at %llu expected inside the file, "
                              "which has %llu bytes (file cut short? re-copy MODEL.GGUF)",
                              SPAN_ARG(t->name), (unsigned long long)t->bytes,
                              (unsigned long long)at, (unsigned long long)g->size);
        t->data = g->base + at;
    }
    return 0;
}

int gguf_open(struct gguf *g, struct memory *memory, void *base, uint64_t size,
              struct fluid_error *err) {
    struct reader r = {base, size, 0, err};
    g->base = base;
    g->size = size;
    if (take_header(&r, g) != 0)
        return -1;
    g->values = memory_take(memory, g->n_values, sizeof *g->values, "GGUF keys", err);
    if (g->values == NULL || strtab_init(&g->by_key, memory, g->n_values, g, key_of, err) != 0)
        return -1;
    for (uint32_t i = 0, same; i < g->n_values; i++) {
        if (take_value(&r, &g->values[i]) != 0 || strtab_put(&g->by_key, i, &same, err) != 0)
            return -1;
        if (same != STRTAB_NONE)
            return fluid_fail(err, "E-GGUF-06", "key %.*s: one expected, two found (" RECOPY ")",
                              SPAN_ARG(g->values[i].key));
    }
    g->tensors = memory_take(memory, g->n_tensors, sizeof *g->tensors, "GGUF tensors", err);
    uint64_t *offsets = memory_take(memory, g->n_tensors, sizeof *offsets, "GGUF offsets", err);
    if (g->tensors == NULL || offsets == NULL ||
        strtab_init(&g->by_name, memory, g->n_tensors, g, name_of, err) != 0)
        return -1;
    for (uint32_t i = 0, same; i < g->n_tensors; i++) {
        if (take_tensor(&r, &g->tensors[i], &offsets[i]) != 0 ||
            strtab_put(&g->by_name, i, &same, err) != 0)
            return -1;
        if (same != STRTAB_NONE)
            return fluid_fail(err, "E-GGUF-11", "tensor %.*s: one expected, two found (" RECOPY ")",
                              SPAN_ARG(g->tensors[i].name));
    }
    return place_tensors(&r, g, offsets);
}
