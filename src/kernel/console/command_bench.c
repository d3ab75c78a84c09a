/* command_bench.c - /bench: starts benchmarks in the background, and lists them. */
#include "console/command.h"

#include "console/bench.h"
#include "console/event.h"
#include "console/number.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/module.h"

/* Takes the next word off the argument; its length, 0 when there is none. */
static size_t next_word(char **argument, size_t *length, char **word) {
    size_t n = 0;

    while (*length > 0 && **argument == ' ') {
        ++*argument;
        --*length;
    }
    *word = *argument;
    while (n < *length && (*argument)[n] != ' ')
        n++;
    *argument += n;
    *length -= n;
    return n;
}

static void print_name(const struct loaded_module *module, void *context) {
    unsigned *count = context;

    if (!bench_is(module))
        return;
    kprintf("  %s (%s)\n", module_name(module), module_target(module));
    ++*count;
}

static void list(void) {
    unsigned count = 0;

    module_for_each(print_name, &count);
    kprintf("%u benchmarks; /bench NAME [SIZE [CALLS]] runs one, /bench stop ends those that run\n",
            count);
    bench_print();
}

static int start(const char *name, char *argument, size_t length, struct fluid_error *err) {
    uint64_t size = 0, calls = BENCH_CALLS_DEFAULT;
    char *word;
    size_t n;

    if (!bench_exists(name))
        return fluid_fail(err, "E-BENCH-01",
                          "the name of a benchmark expected, found %s; /bench lists them", name);
    n = next_word(&argument, &length, &word);
    if (n > 0 && !number_u64(word, n, UINT64_MAX, &size))
        return fluid_fail(err, "E-CON-03", "/bench NAME [SIZE [CALLS]]: SIZE is a number");
    n = next_word(&argument, &length, &word);
    if (n > 0 && (!number_u64(word, n, BENCH_CALLS_MAX, &calls) || calls == 0))
        return fluid_fail(err, "E-CON-03",
                          "/bench NAME [SIZE [CALLS]]: CALLS is a number from 1 to %u",
                          BENCH_CALLS_MAX);
    if (next_word(&argument, &length, &word) > 0)
        return fluid_fail(err, "E-CON-03", "/bench NAME [SIZE [CALLS]] takes nothing else");
    return bench_start(name, size, (uint32_t)calls, err);
}

void command_bench(char *argument, size_t length) {
    char name[BENCH_NAME_SIZE], *word;
    size_t n = next_word(&argument, &length, &word);
    struct fluid_error err;

    if (n == 0) {
        list();
        return;
    }
    ksnprintf(name, sizeof(name), "%.*s", (int)(n < sizeof(name) ? n : sizeof(name)), word);
    if (strcmp(name, "stop") == 0)
        bench_stop();
    else if (start(name, argument, length, &err) != 0)
        report_error(&err);
}
