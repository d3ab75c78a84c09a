/* test_parallel.c - parallel loops on all cores that there are: every iteration runs once, whoever
 * takes it, and page tables are the same for all. */
#include "arch/x86/core.h"
#include "arch/x86/time.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/paging.h"
#include "selftest/selftest.h"
#include "task/parallel.h"

#define LOOPS 1000u
#define LOOPS_RACE 100000u
#define ITERATIONS_MAX 37u /* of a loop; small, so that its end is often near */
#define ITERATIONS_MANY 200000u
#define PARKED_US 5000u /* longer than a core spins */

struct tally {
    uint32_t runs[ITERATIONS_MAX];
    uint32_t sum, by[CORES_MAX];
    bool wrong;
};

static void count(void *context, uint32_t index, uint32_t core) {
    struct tally *tally = context;
    if (index >= ITERATIONS_MAX || core >= cores_count() || core != core_current()->index) {
        tally->wrong = true;
        return;
    }
    tally->runs[index]++; /* nobody else has this index */
    tally->by[core]++;
    __atomic_fetch_add(&tally->sum, index + 1, __ATOMIC_RELAXED);
}

/* Loops of all lengths, one right behind the other: what if a core is late for one? */
static bool race(uint32_t loops, char *why, size_t size) {
    struct trap_fault fault;
    struct tally tally;
    for (uint32_t i = 0; i < loops; i++) {
        uint32_t length = i % (ITERATIONS_MAX + 1);
        memset(&tally, 0, sizeof(tally));
        EXPECT(parallel_run(length, count, &tally, &fault));
        EXPECT(!tally.wrong && tally.sum == length * (length + 1) / 2);
        for (uint32_t k = 0; k < ITERATIONS_MAX; k++)
            EXPECT(tally.runs[k] == (k < length));
    }
    return true;
}

static bool test_parallel(char *why, size_t size) {
    return race(LOOPS, why, size);
}

static bool test_parallel_race(char *why, size_t size) {
    return race(LOOPS_RACE, why, size);
}

static void add(void *context, uint32_t index, uint32_t core) {
    uint64_t *sums = context;
    sums[core] += index;
}

/* More iterations than are given out at a time, and an end in the middle of what is. */
static bool test_long(char *why, size_t size) {
    struct trap_fault fault;
    uint64_t sums[CORES_MAX] = {0}, sum = 0;
    EXPECT(parallel_run(ITERATIONS_MANY, add, sums, &fault));
    for (unsigned core = 0; core < CORES_MAX; core++)
        sum += sums[core];
    EXPECT(sum == (uint64_t)ITERATIONS_MANY * (ITERATIONS_MANY - 1) / 2);
    return true;
}

/* The boot processor's first iteration ends when all others are over, whosever they were. */
static void hold(void *context, uint32_t index, uint32_t core) {
    uint32_t *over = context;
    (void)index;
    if (core == 0 && __atomic_exchange_n(&over[1], 1, __ATOMIC_SEQ_CST) == 0)
        while (__atomic_load_n(&over[0], __ATOMIC_SEQ_CST) < ITERATIONS_MAX - 1)
            __asm__ volatile("pause" : : : "memory");
    __atomic_fetch_add(&over[0], 1, __ATOMIC_SEQ_CST);
}

static bool test_late(char *why, size_t size) {
    struct trap_fault fault;
    uint32_t over[2] = {0};
    if (cores_count() == 1)
        return true;
    EXPECT(parallel_run(ITERATIONS_MAX, hold, over, &fault));
    EXPECT(over[0] == ITERATIONS_MAX);
    return true;
}

static void wait_for_all(void *context, uint32_t index, uint32_t core) {
    uint32_t *arrived = context;
    (void)index;
    (void)core;
    __atomic_fetch_add(arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(arrived, __ATOMIC_SEQ_CST) < cores_count())
        __asm__ volatile("pause" : : : "memory");
}

/* As many iterations as cores, which wait for each other: each core must take one, parked or not.
 */
static bool test_cores(char *why, size_t size) {
    struct trap_fault fault;
    for (unsigned round = 0; round < 3; round++) {
        uint32_t arrived = 0;
        EXPECT(parallel_run(cores_count(), wait_for_all, &arrived, &fault));
        EXPECT(arrived == cores_count());
        time_delay_us(PARKED_US);
    }
    return true;
}

struct page {
    volatile uint32_t *word;
    uint32_t arrived, wrong;
};

static void read_word(void *context, uint32_t index, uint32_t core) {
    struct page *page = context;
    (void)core;
    (void)index;
    wait_for_all(&page->arrived, 0, 0);
    if (*page->word != 42)
        __atomic_fetch_add(&page->wrong, 1, __ATOMIC_RELAXED);
}

static void write_word(void *context, uint32_t index, uint32_t core) {
    struct page *page = context;
    (void)core;
    (void)index;
    wait_for_all(&page->arrived, 0, 0);
    *page->word = 43;
}

/* A page that all cores have used becomes read-only: no core writes to it any more. */
static bool test_flush(char *why, size_t size) {
    struct trap_fault fault;
    struct page page = {.word = pages_alloc(1, PAGE_SIZE, 0)};
    EXPECT(page.word != NULL);
    *page.word = 42;
    bool read = parallel_run(cores_count(), read_word, &page, &fault);
    paging_protect((const void *)(uintptr_t)page.word, PAGE_SIZE, PAGE_R);
    page.arrived = 0;
    bool written = parallel_run(cores_count(), write_word, &page, &fault);
    bool kept = *page.word == 42;
    paging_protect((const void *)(uintptr_t)page.word, PAGE_SIZE, PAGE_W);
    pages_free((void *)(uintptr_t)page.word, 1);
    EXPECT(read && page.wrong == 0 && !written && kept);
    EXPECT(fault.frame.vector == TRAP_PAGE_FAULT);
    return true;
}

const struct selftest selftests_parallel[] = {
    {"parallel", test_parallel}, {"parallel-long", test_long}, {"parallel-late", test_late},
    {"cores", test_cores},       {"cores-flush", test_flush},  {NULL, NULL},
};
/* By name only: they take long. */
const struct selftest selftests_long[] = {
    {"parallel-race", test_parallel_race},
    {NULL, NULL},
};
