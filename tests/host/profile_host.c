/* profile_host.c - records of calls (prof/profile.c, call.c), with modules that are names only and
 * a clock that moves by a step whenever it is read.
 *
 *     profile_host buckets              value, bucket and its start for the edges of all powers
 *     profile_host medians SEED SETS    of random cycles: what is wrong, and the greatest error
 *     profile_host records|calls        what is kept apart; measuring, resetting, no memory */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fluid/kapi.h"
#include "load/module_list.h"
#include "mm/heap.h"
#include "prof/profile.h"
#include "task/task.h"

#define CALLS_MAX 3000u

static bool memory = true;
static uint64_t now, step;

bool module_spans(const struct loaded_module *m, uintptr_t address) {
    (void)m;
    (void)address;
    return false; /* nobody's address is asked for */
}

void *kzalloc(size_t size) {
    return memory ? calloc(1, size) : NULL;
}

struct task *task_current(void) {
    return NULL;
}

uint64_t task_cycles(const struct task *task) {
    (void)task;
    return now += step;
}

static void expect(bool condition, const char *what) {
    if (condition)
        return;
    printf("broken: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- buckets */

static void print_bucket(uint64_t cycles) {
    unsigned bucket = profile_bucket(cycles);
    printf("%" PRIu64 " %u %" PRIu64 "\n", cycles, bucket, profile_bucket_start(bucket));
}

static void buckets(void) {
    for (unsigned i = 0; i < PROFILE_BUCKETS; i++) {
        uint64_t start = profile_bucket_start(i), next = profile_bucket_start(i + 1);
        expect(start < next, "buckets rise");
        expect(profile_bucket(start) == i && profile_bucket(next - 1) == i, "its first and last");
        expect(next - start == 1 || (next - start) * PROFILE_PARTS <= start, "an eighth at most");
    }
    for (unsigned power = 0; power < 64; power++)
        for (int aside = -1; aside <= 1; aside++)
            print_bucket((1ull << power) + (uint64_t)(int64_t)aside);
    print_bucket(UINT64_MAX);
}

/* ---- medians */

static uint64_t state;

static uint64_t draw(void) { /* xorshift64*, Vigna 2016 */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Cycles as they come: of one size, around two sizes, or of any; always below 2^47. */
static uint64_t cycles_of(unsigned kind, uint64_t base) {
    switch (kind) {
    case 0:
        return base;
    case 1:
        return base + draw() % (base / 4 + 1);
    case 2:
        return draw() % 5 == 0 ? base * 3 + draw() % 100 : base + draw() % 9;
    default:
        return draw() >> (17 + draw() % 47);
    }
}

static void medians(unsigned sets) {
    static uint64_t exact[CALLS_MAX];
    static struct profile p;
    double worst = 0;
    for (unsigned set = 0; set < sets; set++) {
        unsigned calls = 1 + (unsigned)(draw() % (set % 2 ? 20 : CALLS_MAX));
        uint64_t base = draw() >> (20 + draw() % 44), sum = 0, counted = 0;
        p = (struct profile){0};
        for (unsigned i = 0; i < calls; i++) {
            exact[i] = cycles_of(set % 4, base);
            sum += exact[i];
            profile_add(&p, exact[i]);
        }
        qsort(exact, calls, sizeof(exact[0]), compare);
        for (unsigned i = 0; i < PROFILE_BUCKETS; i++)
            counted += p.bucket[i];
        expect(p.calls == calls && counted == calls && p.cycles == sum, "calls and cycles");
        expect(p.min == exact[0] && p.max == exact[calls - 1], "the least and the greatest");
        uint64_t found = profile_median(&p), right = exact[(calls - 1) / 2];
        expect(p.min <= found && found <= p.max, "a median between them");
        double error = (double)(found > right ? found - right : right - found);
        if (error > 0 && error / (double)right > worst)
            worst = error / (double)right;
    }
    printf("%.6f\n", worst);
}

/* ---- records */

static struct loaded_module first = {.name = "one", .target = "x86-64", .source = {1}};

static void count_one(const struct profile *p, void *context) {
    unsigned *count = context;
    (void)p;
    ++*count;
}

static unsigned count_records(void) {
    unsigned count = 0;
    profile_for_each(count_one, &count);
    return count;
}

static void records(void) {
    struct loaded_module other_name = first, other_target = first, other_source = first;
    struct profile *p = profile_get(&first, "f", 3, 4);
    strcpy(other_name.name, "two");
    strcpy(other_target.target, "x86-64-v3");
    other_source.source[MOD_SOURCE_SIZE - 1] = 1;
    expect(p && profile_get(&first, "f", 3, 4) == p, "one record of one kind of call");
    const struct profile *others[] = {
        profile_get(&first, "g", 3, 4),        profile_get(&first, "f", 4, 3),
        profile_get(&first, "f", 3, 0),        profile_get(&other_name, "f", 3, 4),
        profile_get(&other_target, "f", 3, 4), profile_get(&other_source, "f", 3, 4),
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (unsigned k = 0; k < i; k++)
            expect(others[i] && others[i] != p && others[i] != others[k], "records apart");
    expect(count_records() == 7, "as many as were made");
    struct loaded_module again = first; /* loaded anew, at another place */
    expect(profile_get(&again, "f", 3, 4) == p, "what has run is not forgotten");
    memory = false;
    expect(!profile_get(&first, "h", 0, 0) && profile_get(&first, "f", 3, 4) == p, "no memory");
    memory = true;
    expect(profile_get(&first, "h", 0, 0), "memory again");
    printf("%s %s %s %s %u %u %s\n", p->module, p->target, p->function, p->caller, p->rows, p->cols,
           others[5]->source[MOD_SOURCE_SIZE - 1] == 1 ? "source" : "");
}

static void print_record(const struct profile *p) {
    printf("%" PRIu64 " calls, %" PRIu64 " cycles, %" PRIu64 " %" PRIu64 " %" PRIu64 " by %s\n",
           p->calls, p->cycles, p->min, profile_median(p), p->max, p->caller);
}

/* ---- measuring */

typedef void called_fn(uint64_t cycles);

static void called(uint64_t cycles) {
    now += cycles;
}

static void calls(void) {
    static const char llama[MOD_NAME_SIZE] = "llama", other[MOD_NAME_SIZE] = "other";
    struct profile *p = profile_get(&first, "f", 0, 0);
    struct fluid_slot slot = {.code = (void *)(uintptr_t)called, .profile = p}, none = slot;
    print_record(p);
    profile_set_caller(p, llama);
    FLUID_CALL(called_fn, &slot, 9);
    profile_set_caller(p, other);
    FLUID_CALL(called_fn, &slot, 4);
    FLUID_CALL(called_fn, &slot, 0);
    print_record(p);
    none.profile = NULL; /* there was no memory for one */
    FLUID_CALL(called_fn, &none, 1);
    uint64_t begin = fluid_call_begin();
    called(5);
    profile_reset();
    print_record(p);
    called(2);
    fluid_call_end(&slot, begin);
    print_record(p);
    step = 7;
    printf("overhead %" PRIu64 "\n", profile_overhead());
    printf("overhead %" PRIu64 ", %u records\n", profile_overhead(), count_records());
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "buckets") == 0) {
        buckets();
    } else if (strcmp(mode, "medians") == 0 && argc == 4) {
        state = strtoull(argv[2], NULL, 10);
        medians((unsigned)strtoul(argv[3], NULL, 10));
    } else if (strcmp(mode, "records") == 0) {
        records();
    } else if (strcmp(mode, "calls") == 0) {
        calls();
    } else {
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
