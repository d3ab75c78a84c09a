/* libc_host_math.c - elementary functions on arrays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_functions.h"
#include "libc_host.h"

#ifdef KERNEL_UNIT

int run_math(const char *name) {
    differs(name, "the kernel has no floating point");
    return 2;
}

#else

#define CHUNK 4096 /* numbers */

#define DOUBLE(name) double libc_##name(double x);
#define DOUBLES(name) double libc_##name(double x, double y);
#define FLOAT(name) float libc_##name(float x);
#define FLOATS(name) float libc_##name(float x, float y);
FUNCTIONS
void libc_sincos(double x, double *sine, double *cosine);
#undef DOUBLE
#undef DOUBLES
#undef FLOAT
#undef FLOATS

/* sincos as two functions of one argument. */
static double sincos_sine(double x) {
    double sine, cosine;
    libc_sincos(x, &sine, &cosine);
    return sine;
}

static double sincos_cosine(double x) {
    double sine, cosine;
    libc_sincos(x, &sine, &cosine);
    return cosine;
}

static const struct {
    const char *name;
    double (*one)(double);
    double (*two)(double, double);
    float (*one_float)(float);
    float (*two_float)(float, float);
} table[] = {
#define DOUBLE(name) {#name, .one = libc_##name},
#define DOUBLES(name) {#name, .two = libc_##name},
#define FLOAT(name) {#name, .one_float = libc_##name},
#define FLOATS(name) {#name, .two_float = libc_##name},
    FUNCTIONS{"sincos.sin", .one = sincos_sine},
    {"sincos.cos", .one = sincos_cosine},
};

static void run_doubles(double (*one)(double), double (*two)(double, double)) {
    double in[2 * CHUNK], out[CHUNK];
    size_t width = two != NULL ? 2 : 1, n;
    while ((n = fread(in, width * sizeof *in, CHUNK, stdin)) > 0) {
        for (size_t i = 0; i < n; i++)
            out[i] = two != NULL ? two(in[2 * i], in[2 * i + 1]) : one(in[i]);
        fwrite(out, sizeof *out, n, stdout);
    }
}

static void run_floats(float (*one)(float), float (*two)(float, float)) {
    float in[2 * CHUNK], out[CHUNK];
    size_t width = two != NULL ? 2 : 1, n;
    while ((n = fread(in, width * sizeof *in, CHUNK, stdin)) > 0) {
        for (size_t i = 0; i < n; i++)
            out[i] = two != NULL ? two(in[2 * i], in[2 * i + 1]) : one(in[i]);
        fwrite(out, sizeof *out, n, stdout);
    }
}

int run_math(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(name, table[i].name) != 0)
            continue;
        if (table[i].one != NULL || table[i].two != NULL)
            run_doubles(table[i].one, table[i].two);
        else
            run_floats(table[i].one_float, table[i].two_float);
        return 0;
    }
    fprintf(stderr, "libc_host: no function %s\n", name);
    return 2;
}

#endif
