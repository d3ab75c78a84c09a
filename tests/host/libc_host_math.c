/* libc_host_math.c - elementary functions on arrays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libc_host.h"

#ifdef KERNEL_UNIT

int run_math(const char *name) {
    differs(name, "the kernel has no floating point");
    return 2;
}

#else

#define LIBC_NAME(name) libc_##name
#include "libc_functions.h"

#define CHUNK 4096 /* numbers */

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
    for (size_t i = 0; i < MATH_FUNCTIONS; i++) {
        if (strcmp(name, math_functions[i].name) != 0)
            continue;
        if (math_functions[i].one != NULL || math_functions[i].two != NULL)
            run_doubles(math_functions[i].one, math_functions[i].two);
        else
            run_floats(math_functions[i].one_float, math_functions[i].two_float);
        return 0;
    }
    fprintf(stderr, "libc_host: no function %s\n", name);
    return 2;
}

#endif
