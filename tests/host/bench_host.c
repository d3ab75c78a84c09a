/* bench_host.c - calls a benchmark as often as the second argument says.
 *
 *     bench_host SIZE CALLS [MEMORY [POLLS]]   MEMORY: bytes there are; POLLS: until it is stopped
 */
#include <stdio.h>
#include <stdlib.h>

#include "fluid/bench.h"
#include "kapi_host.h"

bench_open_fn bench_regex_dfa_open;
bench_call_fn bench_regex_dfa_call;
bench_close_fn bench_regex_dfa_close;

int main(int argc, char **argv) {
    struct fluid_error err;
    struct fluid_bench bench;
    if (argc < 3)
        return EXIT_FAILURE;
    if (argc > 3)
        kapi_memory = strtoull(argv[3], NULL, 10);
    if (argc > 4)
        kapi_polls_to_stop = strtol(argv[4], NULL, 10);
    if (bench_regex_dfa_open(&bench, strtoull(argv[1], NULL, 10), &err) != 0) {
        printf("%s %s\n", err.code, err.text);
        return EXIT_SUCCESS;
    }
    printf("%llu %s, %08x expected\n", (unsigned long long)bench.size, bench.unit, bench.checksum);
    for (long calls = strtol(argv[2], NULL, 10); calls > 0; calls--)
        printf("%08x\n", bench_regex_dfa_call(&bench));
    bench_regex_dfa_close(&bench);
    return kapi_memory_used() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
