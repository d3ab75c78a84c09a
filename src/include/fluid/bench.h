/* bench.h - benchmarks: modules of src/modules/bench/ that do the same work again and again. The
 * module NAME exports bench_NAME_open, bench_NAME_call and bench_NAME_close.
 *
 * A benchmark makes its own input, from a seed that the compiler cannot see, and knows what must
 * come out of it: a wrong result is an error, not a number in a table. */
#ifndef FLUID_BENCH_H
#define FLUID_BENCH_H

#include <stdint.h>

#include "fluid/kapi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one run works on. */
struct fluid_bench {
    uint64_t size;     /* as asked for, or the default one */
    uint64_t units;    /* of work in one call: cycles are told for one of them */
    const char *unit;  /* what they are: "characters" */
    uint32_t checksum; /* what every call must return */
    void *work;        /* the module's own */
};

/* Prepares a run of this size; 0: the default one. -1 with E-BENCH-02 when it has no such size,
 * with E-BENCH-04 when there is no memory; then nothing needs to be closed. */
typedef int bench_open_fn(struct fluid_bench *bench, uint64_t size, struct fluid_error *err);
/* Does the work once; returns its checksum. Polls now and then (fluid_poll), and may return early
 * with anything once that has said stop. */
typedef uint32_t bench_call_fn(const struct fluid_bench *bench);
typedef void bench_close_fn(struct fluid_bench *bench);

#ifdef __cplusplus
}
#endif

#endif
