/* libc_functions.h - the functions of math.h that tests call. */
#ifndef LIBC_FUNCTIONS_H
#define LIBC_FUNCTIONS_H

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

#endif
