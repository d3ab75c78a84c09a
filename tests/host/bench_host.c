/* bench_host.c - calls the benchmark NAME, compiled with -DBENCH=NAME, as often as the second
 * argument says.
 *
 *     bench_host SIZE CALLS [MEMORY [POLLS]]   MEMORY: bytes there are; POLLS: until it is stopped
 */
#include <stdio.h>
#include <stdlib.h>

#include "fluid/bench.h"
#include "kapi_host.h"

#define JOIN(name, what) bench_##name##_##what
#define ENTRY(name, what) JOIN(name, what)

bench_open_fn ENTRY(BENCH, open);
bench_call_fn ENTRY(BENCH, call);
bench_close_fn ENTRY(BENCH, close);

int main(int argc, char **argv) {
    struct fluid_error err;
    struct fluid_bench bench;
    if (argc < 3)
        return EXIT_FAILURE;
    if (argc > 3)
        kapi_memory = strtoull(argv[3], NULL, 10);
    if (argc > 4)
        kapi_polls_to_stop = strtol(argv[4], NULL, 10);
    if (ENTRY(BENCH, open)(&bench, strtoull(argv[1], NULL, 10), &err) != 0) {
        printf("%s %s\n", err.code, err.text);
        return kapi_memory_used() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    printf("%llu: %llu %s, %08x expected\n", (unsigned long long)bench.size,
           (unsigned long long)bench.units, bench.unit, bench.checksum);
    for (long calls = strtol(argv[2], NULL, 10); calls > 0; calls--)
        printf("%08x\n", ENTRY(BENCH, call)(&bench));
    ENTRY(BENCH, close)(&bench);
    return kapi_memory_used() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
