/* bench.h - benchmarks that run as tasks in the background. */
#ifndef KERNEL_CONSOLE_BENCH_H
#define KERNEL_CONSOLE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fluid/kapi.h"

#define BENCH_NAME_SIZE 24
#define BENCH_CALLS_DEFAULT 10u
#define BENCH_CALLS_MAX 1000000u

struct loaded_module;

/* Whether a module is the benchmark of this name, which may have to be compiled first. */
bool bench_exists(const char *name);
/* Whether this one is a benchmark, as it is. */
bool bench_is(const struct loaded_module *module);
/* Starts a task that opens the benchmark with this size (0: its default), calls it so often and
 * tells the result: a `bench` event and a line for people, or an error. -1 when it cannot start. */
int bench_start(const char *name, uint64_t size, uint32_t calls, struct fluid_error *err);
/* Those that run end soon, without a result. */
void bench_stop(void);
/* Prints those that run. */
void bench_print(void);
#endif
