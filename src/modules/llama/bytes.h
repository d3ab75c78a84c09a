/* bytes.h - spans of bytes, and little-endian numbers at any alignment. */
#ifndef LLAMA_BYTES_H
#define LLAMA_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *at; /* not NUL-terminated */
    size_t n;
};

/* Precision and pointer for printf's "%.*s"; long text is cut, since an error is one sentence. */
#define SPAN_SHOWN 80
#define SPAN_ARG(s) (int)((s).n < SPAN_SHOWN ? (s).n : SPAN_SHOWN), (s).at

static inline struct span span_of(const char *text) {
    return (struct span){text, strlen(text)};
}

static inline bool span_is(struct span a, const char *text) {
    return a.n == strlen(text) && memcmp(a.at, text, a.n) == 0;
}

static inline bool span_starts(struct span a, const char *prefix) {
    size_t n = strlen(prefix);
    return a.n >= n && memcmp(a.at, prefix, n) == 0;
}

static inline bool span_contains(struct span a, const char *needle) {
    size_t n = strlen(needle);
    for (size_t i = 0; n <= a.n && i <= a.n - n; i++)
        if (memcmp(a.at + i, needle, n) == 0)
            return true;
    return false;
}

static inline uint16_t load_u16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t load_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load_u64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float load_f32(const uint8_t *p) {
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline double load_f64(const uint8_t *p) {
    double v;
    memcpy(&v, p, sizeof v);
    return v;
}

#endif
