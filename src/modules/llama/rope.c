/* rope.c - angles of rotary positions, as models with a longer context than they were trained for
 * want them: all frequencies lower by a factor ("linear"), or the low ones only ("yarn", arXiv
 * 2309.00071, with llama.cpp's reading of it: ggml_rope_yarn_corr_dims, rope_yarn). */
#include "rope.h"

#include <math.h>

#define KEY(name) "llama.rope." name
#define STRIDE 32      /* positions */
#define YARN_FAST 32.0 /* turns within the original context: frequencies above stay as they are */
#define YARN_SLOW 1.0  /* and those below are lowered by the whole factor */
#define YARN_NARROW 0.001 /* frequencies between the two, at least */
#define YARN_GROWTH 0.1   /* of the magnitude, with the logarithm of the factor */
#define TWO_PI 6.283185307179586

static const struct {
    const char *name;
    enum rope_scaling kind;
} scalings[] = {{"none", ROPE_PLAIN}, {"linear", ROPE_LINEAR}, {"yarn", ROPE_YARN}};

static int read_kind(struct rope_config *rope, const struct gguf *g, struct fluid_error *err) {
    struct span text;
    if (gguf_string(g, KEY("scaling.type"), &text, err) != 0)
        return -1;
    rope->scaling = ROPE_LINEAR; /* where only the factor is told */
    if (text.at == NULL)
        return 0;
    for (size_t i = 0; i < sizeof scalings / sizeof *scalings; i++)
        if (span_is(text, scalings[i].name)) {
            rope->scaling = scalings[i].kind;
            return 0;
        }
    return fluid_fail(
        err, "E-GGUF-18",
        "key " KEY("scaling.type") ": none, linear or yarn expected, %.*s found (this "
                                   "kind of model is not supported)",
        SPAN_ARG(text));
}

int rope_read(struct rope_config *rope, uint32_t ctx_model, const struct gguf *g,
              struct fluid_error *err) {
    static const float base = 10000, one = 1;
    float old_factor; /* the older key of the same */
    if (read_kind(rope, g, err) != 0 ||
        gguf_f32(g, KEY("freq_base"), 1, 1e12f, &base, &rope->base, err) != 0 ||
        gguf_f32(g, KEY("scale_linear"), 0, 1e6f, &one, &old_factor, err) != 0 ||
        gguf_f32(g, KEY("scaling.factor"), 0, 1e6f, &old_factor, &rope->factor, err) != 0 ||
        gguf_f32(g, KEY("scaling.attn_factor"), 0, 1e6f, &one, &rope->magnitude, err) != 0 ||
        gguf_u32(g, KEY("scaling.original_context_length"), 1, CONFIG_MAX_CTX, ctx_model,
                 &rope->ctx_original, err) != 0)
        return -1;
    if (rope->factor == 0 || rope->scaling == ROPE_PLAIN)
        rope->factor = 1; /* llama.cpp takes 0 for none */
    return 0;
}

/* Number of the frequency that makes so many turns within the original context. */
static double number_of(double turns, const struct config *c) {
    return c->rope_dim * log(c->rope.ctx_original / (turns * TWO_PI)) / (2 * log(c->rope.base));
}

/* How much of frequency i stays as it is: 1 for the highest ones, 0 for the lowest. */
static double kept(uint32_t i, const struct config *c) {
    double first = floor(number_of(YARN_FAST, c)), last = -floor(-number_of(YARN_SLOW, c));
    first = first < 0 ? 0 : first;
    last = last > c->rope_dim - 1 ? c->rope_dim - 1 : last;
    double lowered = (i - first) / (last - first > YARN_NARROW ? last - first : YARN_NARROW);
    return lowered < 0 ? 1 : lowered > 1 ? 0 : 1 - lowered;
}

static double magnitude(const struct rope_config *rope) {
    bool grows = rope->scaling == ROPE_YARN;
    return rope->magnitude * (grows ? 1 + YARN_GROWTH * log(rope->factor) : 1);
}

/* In double precision. A position is the first of its stride and a rest, and the angles of both are
 * added: two functions for a stride of positions. */
void rope_fill(float *table, uint32_t ctx, const struct config *c, const float *factors) {
    uint32_t half = c->rope_dim / 2;
    double rest_sin[STRIDE], rest_cos[STRIDE], sine = 0, cosine = 1;
    double scale = magnitude(&c->rope);
    for (uint32_t i = 0; i < half; i++) {
        double step = pow(c->rope.base, -2.0 * i / c->rope_dim) / (factors ? factors[i] : 1);
        double stays = c->rope.scaling == ROPE_YARN ? kept(i, c) : 0;
        step = step / c->rope.factor * (1 - stays) + step * stays;
        for (uint32_t r = 0; r < STRIDE; r++)
            sincos(r * step, &rest_sin[r], &rest_cos[r]);
        for (uint32_t p = 0; p < ctx; p++) {
            uint32_t r = p % STRIDE;
            if (r == 0)
                sincos(p * step, &sine, &cosine);
            float *pair = table + ((size_t)p * half + i) * 2;
            pair[0] = (float)(scale * (cosine * rest_cos[r] - sine * rest_sin[r]));
            pair[1] = (float)(scale * (sine * rest_cos[r] + cosine * rest_sin[r]));
        }
    }
}
