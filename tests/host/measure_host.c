/* measure_host.c - measurements of two codes whose cycles are given: a line "measure" with pairs of
 * numbers, of the calls in order, what each would take with the incumbent and with the candidate.
 * Answers "LOOKED BEFORE AFTER WINS FASTER AGAIN", or "more" when there were too few calls. With
 * two arguments, what both take for several tokens, the answer is with these. */
#include "jit/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int a, b; /* code is where these are */
#define A (struct way){&a, 0, 0}
#define B (struct way){&b, 4096, 1}

static void need(bool condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void answer(const struct measure *m, unsigned calls, const uint64_t several[2]) {
    struct measured r = measure_with_several(measure_result(m), several);
    need(m->slot->code == &a, "a slot that has been measured has the incumbent's code");
    printf("%u %llu %llu %u %d %d\n", calls, (unsigned long long)r.before,
           (unsigned long long)r.after, r.wins, r.faster, r.again);
}

/* Two slots at a time: what is measured of one is not the other's. */
static void others(void) {
    struct fluid_slot first = {.code = &a}, second = {.code = &a}, third = {.code = &a};
    struct measure one, two;
    measure_start(&one, &first, A, B);
    measure_start(&two, &second, A, B);
    while (!one.done)
        first.called(&first, first.code == &a ? 1000 : 900);
    need(two.block == 0 && two.call == 0, "the other slot was not called");
    while (!two.done)
        second.called(&second, second.code == &a ? 900 : 1000);
    first.called(&third, 7); /* of nobody */
    first.called(&first, 7); /* of one that is done */
    need(measure_result(&one).faster && !measure_result(&two).faster, "each has its own");
    measure_stop(&one);
    need(!first.called && second.called, "one is stopped");
    measure_stop(&one);
    measure_stop(&two);
    need(!second.called, "both are stopped");
}

/* It is stopped in the middle: the incumbent stays, or what took its place. */
static void stopped(void) {
    int c;
    struct fluid_slot slot = {.code = &a};
    struct measure m;
    measure_start(&m, &slot, A, B);
    while (slot.code == &a)
        slot.called(&slot, 1000);
    measure_stop(&m);
    need(slot.code == &a, "the incumbent's code is back");
    measure_start(&m, &slot, A, B);
    slot.code = &c;
    measure_stop(&m);
    need(slot.code == &c, "other code stays");
}

int main(int argc, char **argv) {
    uint64_t several[2] = {0};
    struct fluid_slot slot = {.code = &a};
    struct measure m;
    unsigned long long first, second;
    unsigned calls = 0;
    for (int i = 0; i < 2 && i + 1 < argc; i++)
        several[i] = strtoull(argv[i + 1], NULL, 10);
    others();
    stopped();
    measure_start(&m, &slot, A, B);
    while (!m.done && scanf("%llu %llu", &first, &second) == 2) {
        slot.called(&slot, slot.code == &a ? first : second);
        calls++;
    }
    if (m.done)
        answer(&m, calls, several);
    else
        puts("more");
    measure_stop(&m);
    return 0;
}
