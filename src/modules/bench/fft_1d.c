/* fft_1d.c - benchmark: the power spectrum of a random signal, the mean over windows that begin one
 * sample after the other (Welch 1967, without a taper). Unit of work: transforms; the size is their
 * length n.
 *
 * The transform is Cooley and Tukey's (1965) with radix 2, in single precision: samples in the
 * order of their bit-reversed indices, then log2 n passes of butterflies over an array that fits
 * into the first cache. What is measured are float operations that do not wait for each other, and
 * loads and stores whose stride doubles with each pass. The checksum is FNV-1a over the spectrum;
 * each operation is rounded once and in the order that is written here. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_fft_1d_open;
FLUID_EXPORT bench_call_fn bench_fft_1d_call;
FLUID_EXPORT bench_close_fn bench_fft_1d_close;

static const struct bench_sizes sizes = {"transforms", 1, {{32, 0x4a340743}, {1024, 0x07841438}}};

#define LENGTH_MAX 1024u
#define SAMPLES 16384u   /* of all windows of one call together: 512 or 16 transforms */
#define SIGNAL_MAX 1040u /* the longest signal: LENGTH_MAX + SAMPLES / LENGTH_MAX */

struct work {
    float cosine[LENGTH_MAX / 2], sine[LENGTH_MAX / 2]; /* e^(-2 pi i k / n) = cosine - i sine */
    uint16_t reversed[LENGTH_MAX];
    float signal_re[SIGNAL_MAX], signal_im[SIGNAL_MAX];
    float re[LENGTH_MAX], im[LENGTH_MAX], power[LENGTH_MAX];
    size_t n;
};

/* Multiples of the angle 2 pi / n, which is halved from a right one: exactly defined, unlike the
 * functions of a C library. In double, so that the floats are as good as rounded ones. */
static void make_twiddles(struct work *w) {
    double step_cosine = 0, step_sine = 1, cosine = 1, sine = 0;
    for (size_t parts = 4; parts < w->n; parts *= 2) {
        step_cosine = __builtin_sqrt((1 + step_cosine) / 2);
        step_sine = step_sine / (2 * step_cosine);
    }
    for (size_t k = 0; k < w->n / 2; k++) {
        w->cosine[k] = (float)cosine;
        w->sine[k] = (float)sine;
        double next = cosine * step_cosine - sine * step_sine;
        sine = cosine * step_sine + sine * step_cosine;
        cosine = next;
    }
}

int bench_fft_1d_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    uint32_t random = mix_seed();
    if (bench_choose(bench, &sizes, size, err) != 0 ||
        bench_allocate(bench, sizeof(struct work), err) != 0)
        return -1;
    struct work *w = bench->work;
    w->n = (size_t)bench->size;
    bench->units = SAMPLES / w->n;
    make_twiddles(w);
    for (size_t i = 1; i < w->n; i++)
        w->reversed[i] = (uint16_t)(w->reversed[i / 2] / 2 + (i % 2 != 0 ? w->n / 2 : 0));
    mix_fill(w->signal_re, w->n + SAMPLES / w->n, 1, &random);
    mix_fill(w->signal_im, w->n + SAMPLES / w->n, 1, &random);
    return 0;
}

/* The n samples from `first` on, to w->re and w->im. */
static void transform(struct work *w, size_t first) {
    float *re = w->re, *im = w->im;
    size_t n = w->n;
    for (size_t i = 0; i < n; i++) {
        re[i] = w->signal_re[first + w->reversed[i]];
        im[i] = w->signal_im[first + w->reversed[i]];
    }
    for (size_t half = 1; half < n; half *= 2) {
        for (size_t at = 0; at < n; at += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                float cosine = w->cosine[k * (n / 2 / half)], sine = w->sine[k * (n / 2 / half)];
                size_t a = at + k, b = a + half;
                float turned_re = re[b] * cosine + im[b] * sine;
                float turned_im = im[b] * cosine - re[b] * sine;
                re[b] = re[a] - turned_re;
                im[b] = im[a] - turned_im;
                re[a] = re[a] + turned_re;
                im[a] = im[a] + turned_im;
            }
        }
    }
}

uint32_t bench_fft_1d_call(const struct fluid_bench *bench) {
    struct work *w = bench->work;
    memset(w->power, 0, sizeof w->power);
    for (size_t first = 0; first < bench->units; first++) {
        transform(w, first);
        for (size_t i = 0; i < w->n; i++)
            w->power[i] += w->re[i] * w->re[i] + w->im[i] * w->im[i];
        if (fluid_poll())
            return 0;
    }
    return mix_floats(MIX_START, w->power, w->n);
}

void bench_fft_1d_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
