/* libc_functions.h - the functions of math.h as a table, for programs that call what its name says.
 * LIBC_NAME(name): what the functions are called there. */
#ifndef LIBC_FUNCTIONS_H
#define LIBC_FUNCTIONS_H

#ifndef LIBC_NAME
#define LIBC_NAME(name) name
#endif

/* DOUBLE(name), FLOAT(name): one argument; the others have two, side by side in the input. */
#define FUNCTIONS                                                                                  \
    DOUBLE(ceil)                                                                                   \
    DOUBLE(cos)                                                                                    \
    DOUBLE(exp)                                                                                    \
    DOUBLE(fabs)                                                                                   \
    DOUBLE(floor)                                                                                  \
    DOUBLE(log)                                                                                    \
    DOUBLE(round)                                                                                  \
    DOUBLE(sin)                                                                                    \
    DOUBLE(sqrt)                                                                                   \
    DOUBLE(tanh)                                                                                   \
    DOUBLES(fmod)                                                                                  \
    DOUBLES(pow)                                                                                   \
    FLOAT(ceilf)                                                                                   \
    FLOAT(cosf)                                                                                    \
    FLOAT(erff)                                                                                    \
    FLOAT(exp2f)                                                                                   \
    FLOAT(expf)                                                                                    \
    FLOAT(fabsf)                                                                                   \
    FLOAT(floorf)                                                                                  \
    FLOAT(log2f)                                                                                   \
    FLOAT(logf)                                                                                    \
    FLOAT(roundf)                                                                                  \
    FLOAT(sinf)                                                                                    \
    FLOAT(sqrtf)                                                                                   \
    FLOAT(tanf)                                                                                    \
    FLOAT(tanhf)                                                                                   \
    FLOATS(fmodf)                                                                                  \
    FLOATS(powf)

#define DOUBLE(name) double LIBC_NAME(name)(double x);
#define DOUBLES(name) double LIBC_NAME(name)(double x, double y);
#define FLOAT(name) float LIBC_NAME(name)(float x);
#define FLOATS(name) float LIBC_NAME(name)(float x, float y);
FUNCTIONS
void LIBC_NAME(sincos)(double x, double *sine, double *cosine);
#undef DOUBLE
#undef DOUBLES
#undef FLOAT
#undef FLOATS

/* sincos as two functions of one argument. */
static double sincos_sine(double x) {
    double sine, cosine;
    LIBC_NAME(sincos)(x, &sine, &cosine);
    return sine;
}

static double sincos_cosine(double x) {
    double sine, cosine;
    LIBC_NAME(sincos)(x, &sine, &cosine);
    return cosine;
}

static const struct math_function {
    const char *name;
    double (*one)(double);
    double (*two)(double, double);
    float (*one_float)(float);
    float (*two_float)(float, float);
} math_functions[] = {
#define DOUBLE(name) {#name, .one = LIBC_NAME(name)},
#define DOUBLES(name) {#name, .two = LIBC_NAME(name)},
#define FLOAT(name) {#name, .one_float = LIBC_NAME(name)},
#define FLOATS(name) {#name, .two_float = LIBC_NAME(name)},
    FUNCTIONS{"sincos.sin", .one = sincos_sine},
    {"sincos.cos", .one = sincos_cosine},
};
#define MATH_FUNCTIONS (sizeof math_functions / sizeof math_functions[0])

#endif
