/* sizes.h - the sizes that a benchmark has, each with the checksum that it must return there. */
#ifndef BENCH_SIZES_H
#define BENCH_SIZES_H

#include <stdio.h>

#include "fluid/bench.h"

#define BENCH_SIZES_MAX 8

struct bench_sizes {
    const char *unit;   /* of work: "steps" */
    unsigned otherwise; /* index of the one that is taken when none is asked for */
    struct {
        uint64_t size;
        uint32_t checksum;
    } table[BENCH_SIZES_MAX]; /* up to the first size that is 0 */
};

/* A list of them: "16, 128 or 1024". */
static inline void bench_list_sizes(const struct bench_sizes *sizes, char *to, size_t room) {
    size_t used = 0;
    for (unsigned i = 0; i < BENCH_SIZES_MAX && sizes->table[i].size != 0 && used < room; i++) {
        bool last = i + 1 == BENCH_SIZES_MAX || sizes->table[i + 1].size == 0;
        const char *before = i == 0 ? "" : last ? " or " : ", ";
        used += (size_t)snprintf(to + used, room - used, "%s%llu", before,
                                 (unsigned long long)sizes->table[i].size);
    }
}

/* Fills *bench but for its memory; one unit of work for each of the size. A benchmark whose size
 * says something else sets bench->units. -1 with E-BENCH-02 where there is no such size. */
static inline int bench_choose(struct fluid_bench *bench, const struct bench_sizes *sizes,
                               uint64_t size, struct fluid_error *err) {
    char list[128];
    unsigned i = sizes->otherwise;
    if (size != 0)
        for (i = 0; i < BENCH_SIZES_MAX && sizes->table[i].size != size;)
            i++;
    if (i < BENCH_SIZES_MAX) {
        bench->size = bench->units = sizes->table[i].size;
        bench->unit = sizes->unit;
        bench->checksum = sizes->table[i].checksum;
        bench->work = NULL;
        return 0;
    }
    bench_list_sizes(sizes, list, sizeof list);
    return fluid_fail(err, "E-BENCH-02", "a size of %s expected, found %llu", list,
                      (unsigned long long)size);
}

/* Zeroed memory at bench->work. -1 with E-BENCH-04 when there is not enough. */
static inline int bench_allocate(struct fluid_bench *bench, size_t bytes, struct fluid_error *err) {
    bench->work = fluid_alloc(bytes, 64);
    if (bench->work != NULL)
        return 0;
    return fluid_fail(err, "E-BENCH-04",
                      "%zu bytes of memory expected for a benchmark, not available; take a smaller "
                      "size",
                      bytes);
}

#endif
