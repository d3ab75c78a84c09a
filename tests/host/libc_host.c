/* libc_host.c - functions of the image's C library in a Linux process, where a whole C library
 * stands beside them: theirs begin with libc_ (libc_driver.py renames them).
 *
 *     libc_host math NAME                   numbers on stdin, results on stdout, as they lie in
 * memory libc_host differ GROUP SEED ROUNDS    random calls of both libraries; 1 at the first
 * difference
 */
#include "libc_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"memory", differ_memory},   {"text", differ_text},     {"numbers", differ_numbers},
    {"sorting", differ_sorting}, {"format", differ_format},
};

static uint64_t state;

/* xorshift64* (Vigna 2016). */
uint32_t random_below(uint32_t limit) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u >> 32) % limit);
}

void differs(const char *what, const char *details) {
    printf("%s: %s\n", what, details);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "math") == 0)
        return run_math(argv[2]);
    for (size_t i = 0; argc == 5 && i < sizeof groups / sizeof groups[0]; i++) {
        if (strcmp(argv[1], "differ") != 0 || strcmp(argv[2], groups[i].name) != 0)
            continue;
        state = strtoull(argv[3], NULL, 10) + 1;
        for (unsigned long n = strtoul(argv[4], NULL, 10); n > 0; n--)
            groups[i].run();
        return 0;
    }
    fprintf(stderr, "libc_host: no such command\n");
    return 2;
}
