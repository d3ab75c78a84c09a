/* gguf_value.c - typed, bounded access to the keys of a GGUF file, and the names of its types. */
#include "gguf.h"

#include "checked.h"

static const struct {
    const char *name;
    uint32_t size; /* bytes; 0: not fixed */
} kinds[GGUF_KINDS] = {
    [GGUF_U8] = {"u8", 1},       [GGUF_I8] = {"i8", 1},     [GGUF_U16] = {"u16", 2},
    [GGUF_I16] = {"i16", 2},     [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},
    [GGUF_F32] = {"f32", 4},     [GGUF_BOOL] = {"bool", 1}, [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8},   [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};

const char *gguf_kind_name(uint32_t kind) {
    return kinds[kind].name;
}

uint32_t gguf_kind_size(uint32_t kind) {
    return kinds[kind].size;
}

static struct span kind_of(const struct gguf_value *v) {
    return span_of(v->is_array ? "array" : gguf_kind_name(v->kind));
}

const struct gguf_value *gguf_find(const struct gguf *g, const char *key) {
    struct span text = span_of(key);
    uint32_t i = strtab_find(&g->by_key, &text, 1);
    return i == STRTAB_NONE ? NULL : &g->values[i];
}

struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name) {
    struct span text = span_of(name);
    uint32_t i = strtab_find(&g->by_name, &text, 1);
    return i == STRTAB_NONE ? NULL : &g->tensors[i];
}

static int fail_absent(const char *key, struct fluid_error *err) {
    return fluid_fail(
        err, "E-GGUF-12",
        "key %s: expected, none found (convert the model again for architecture llama)", key);
}

static int fail_kind(const char *key, const char *expected, const struct gguf_value *v,
                     struct fluid_error *err) {
    struct span found = kind_of(v);
    return fluid_fail(err, "E-GGUF-13",
                      "key %s: %s expected, %.*s found (file damaged? re-copy MODEL.GGUF)", key,
                      expected, SPAN_ARG(found));
}

/* Any integer kind; false: not an integer. Negative values come out above INT64_MAX. */
static bool integer_of(const struct gguf_value *v, uint64_t *out) {
    const uint8_t *p = v->at;
    switch (v->is_array ? (uint32_t)GGUF_ARRAY : v->kind) {
    case GGUF_U8:
        *out = *p;
        return true;
    case GGUF_I8:
        *out = (uint64_t)(int64_t)(int8_t)*p;
        return true;
    case GGUF_U16:
        *out = load_u16(p);
        return true;
    case GGUF_I16:
        *out = (uint64_t)(int64_t)(int16_t)load_u16(p);
        return true;
    case GGUF_U32:
        *out = load_u32(p);
        return true;
    case GGUF_I32:
        *out = (uint64_t)(int64_t)(int32_t)load_u32(p);
        return true;
    case GGUF_U64:
    case GGUF_I64:
        *out = load_u64(p);
        return true;
    default:
        return false;
    }
}

int gguf_u32(const struct gguf *g, const char *key, uint32_t min, uint32_t max, int64_t fallback,
             uint32_t *out, struct fluid_error *err) {
    const struct gguf_value *v = gguf_find(g, key);
    uint64_t found;
    if (v == NULL && fallback == GGUF_REQUIRED)
        return fail_absent(key, err);
    if (v == NULL) {
        *out = (uint32_t)fallback;
        return 0;
    }
    if (!integer_of(v, &found))
        return fail_kind(key, "an integer", v, err);
    if (found < min || found > max)
        return fluid_fail(err, "E-GGUF-14",
                          "key %s: %u to %u expected, %lld found (file damaged, or a model this "
                          "system cannot run)",
                          key, min, max, (long long)found);
    *out = (uint32_t)found;
    return 0;
}

int gguf_bool(const struct gguf *g, const char *key, bool fallback, bool *out,
              struct fluid_error *err) {
    const struct gguf_value *v = gguf_find(g, key);
    if (v != NULL && (v->is_array || v->kind != GGUF_BOOL))
        return fail_kind(key, "bool", v, err);
    *out = v == NULL ? fallback : *v->at != 0;
    return 0;
}

int gguf_f32(const struct gguf *g, const char *key, float min, float max, const float *fallback,
             float *out, struct fluid_error *err) {
    const struct gguf_value *v = gguf_find(g, key);
    if (v == NULL && fallback == NULL)
        return fail_absent(key, err);
    if (v == NULL) {
        *out = *fallback;
        return 0;
    }
    if (v->is_array || (v->kind != GGUF_F32 && v->kind != GGUF_F64))
        return fail_kind(key, "f32", v, err);
    double found = v->kind == GGUF_F32 ? (double)load_f32(v->at) : load_f64(v->at);
    if (!(found >= (double)min && found <= (double)max))
        return fluid_fail(err, "E-GGUF-14",
                          "key %s: a number between %lld and %lld millionths expected, another one "
                          "found (file damaged? re-copy MODEL.GGUF)",
                          key, (long long)((double)min * 1e6), (long long)((double)max * 1e6));
    *out = (float)found;
    return 0;
}

int gguf_string(const struct gguf *g, const char *key, struct span *out, struct fluid_error *err) {
    const struct gguf_value *v = gguf_find(g, key);
    *out = (struct span){NULL, 0};
    if (v == NULL)
        return 0;
    if (v->is_array || v->kind != GGUF_STRING)
        return fail_kind(key, "string", v, err);
    *out = (struct span){(const char *)v->at + 8, (size_t)load_u64(v->at)};
    return 0;
}

const struct gguf_value *gguf_array(const struct gguf *g, const char *key, uint32_t kind,
                                    uint64_t count, uint64_t max, struct fluid_error *err) {
    const struct gguf_value *v = gguf_find(g, key);
    if (v == NULL) {
        fail_absent(key, err);
        return NULL;
    }
    if (!v->is_array || v->kind != kind) {
        fluid_fail(err, "E-GGUF-13",
                   "key %s: array of %s expected, %s%s found (file damaged? re-copy MODEL.GGUF)",
                   key, gguf_kind_name(kind), v->is_array ? "array of " : "",
                   gguf_kind_name(v->kind));
        return NULL;
    }
    if ((count != 0 && v->count != count) || v->count > max) {
        fluid_fail(
            err, "E-GGUF-14",
            "key %s: %s%llu elements expected, %llu found (file damaged? re-copy MODEL.GGUF)", key,
            count != 0 ? "" : "at most ", (unsigned long long)(count != 0 ? count : max),
            (unsigned long long)v->count);
        return NULL;
    }
    return v;
}
