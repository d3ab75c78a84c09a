/* read_bandwidth.c - how fast this machine reads memory: the roofline of a model's tokens, each of
 * which reads all weights once (site_scons/fluid/peers.py).
 *
 *     read_bandwidth THREADS MIB
 *
 * A buffer of MIB MiB in pages of 2 MiB is read by THREADS threads at once, each its part in one
 * stream up to STREAMS_MAX side by side, without prefetch and with: which is fastest depends on the
 * processor, and a roofline is what can be reached. Speaks JSON lines: {"ready": ...} first; for
 * each line on standard input one measurement, {"bytes": ..., "ns": ...}, of the fastest pass.
 * Between them all threads sleep. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define STREAMS_MAX 8u /* 1, 2, 4 .. are tried */
#define STEP 128u      /* bytes of a stream at a time */
#define LINE 64u       /* of the cache */
#define THREADS_MAX 64u
#define MIB_MAX 65536u
#define HUGE_PAGE ((size_t)2 << 20)
#define USAGE_STATUS 2

typedef uint64_t word4 __attribute__((vector_size(32)));

static uint8_t *buffer;
static size_t part;    /* bytes of a thread */
static size_t streams; /* of the pass */
static size_t ahead;   /* bytes that are prefetched before they are read; 0: nothing is */
static const size_t aheads[] = {0, 512, 4096};
static pthread_barrier_t begin, end;
static _Atomic uint64_t sink; /* so that nothing that is read is left out */

static inline __attribute__((always_inline)) uint64_t read_streams(const uint8_t *at, size_t size) {
    size_t stride = size / streams, count = streams, distance = ahead;
    word4 a = {0}, b = {0}, c = {0}, d = {0};

    for (size_t i = 0; i < stride; i += STEP)
        for (size_t s = 0; s < count; s++) {
            const uint8_t *p = at + s * stride + i;
            const word4 *words = (const void *)p;
            for (size_t line = 0; distance != 0 && line < STEP; line += LINE)
                __builtin_prefetch(p + distance + line);
            a |= words[0];
            b |= words[1];
            c |= words[2];
            d |= words[3];
        }
    a |= b | c | d;
    return a[0] | a[1] | a[2] | a[3];
}

__attribute__((target("avx2"))) static uint64_t read_wide(const uint8_t *at, size_t size) {
    return read_streams(at, size);
}

static bool wide(void) {
    return __builtin_cpu_supports("avx2");
}

static uint64_t read_narrow(const uint8_t *at, size_t size) {
    return read_streams(at, size);
}

static void read_part(size_t number) {
    const uint8_t *at = buffer + number * part;

    sink |= wide() ? read_wide(at, part) : read_narrow(at, part);
}

/* To the processor with this rank among those that the process may use. */
static void pin(size_t rank) {
    cpu_set_t usable, one;

    if (sched_getaffinity(0, sizeof usable, &usable) != 0)
        return;
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &usable) && rank-- == 0)
            CPU_SET(cpu, &one);
    if (CPU_COUNT(&one) == 1)
        pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static void *helper(void *number) {
    pin((uintptr_t)number);
    pthread_barrier_wait(&end);
    for (;;) {
        pthread_barrier_wait(&begin);
        read_part((uintptr_t)number);
        pthread_barrier_wait(&end);
    }
}

static uint64_t now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* All threads, once; nanoseconds. */
static uint64_t pass(void) {
    uint64_t start = now();

    pthread_barrier_wait(&begin);
    read_part(0);
    pthread_barrier_wait(&end);
    return now() - start;
}

static uint64_t fastest_pass(void) {
    uint64_t best = UINT64_MAX;

    for (size_t i = 0; i < sizeof aheads / sizeof *aheads; i++)
        for (streams = 1; streams <= STREAMS_MAX; streams *= 2) {
            ahead = aheads[i];
            uint64_t ns = pass();
            best = ns < best ? ns : best;
        }
    return best;
}

static unsigned long number(const char *text, unsigned long max) {
    char *rest;
    unsigned long value = strtoul(text, &rest, 10);

    if (*text >= '0' && *text <= '9' && *rest == '\0' && value > 0 && value <= max)
        return value;
    fprintf(stderr, "read_bandwidth THREADS MIB expected, two numbers, found %s\n", text);
    exit(USAGE_STATUS);
}

static bool prepare(unsigned long threads, size_t size) {
    uint8_t *mapped = mmap(NULL, size + 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return false;
    buffer = mapped + (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    madvise(buffer, size + HUGE_PAGE, MADV_HUGEPAGE);
    memset(buffer, 1, size);
    part = size / threads / (STREAMS_MAX * STEP) * (STREAMS_MAX * STEP);
    if (pthread_barrier_init(&begin, NULL, (unsigned)threads) != 0 ||
        pthread_barrier_init(&end, NULL, (unsigned)threads) != 0)
        return false;
    for (uintptr_t i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, helper, (void *)i) != 0)
            return false;
    }
    pthread_barrier_wait(&end); /* each is where it belongs */
    pin(0); /* not before: a new thread has the processors of the one that makes it */
    streams = 1;
    read_part(0); /* nothing is measured cold */
    return true;
}

int main(int argc, char **argv) {
    char line[16];

    if (argc != 3)
        number("too few or too many words", 0);
    unsigned long threads = number(argv[1], THREADS_MAX);
    size_t size = number(argv[2], MIB_MAX) << 20;
    if (!prepare(threads, size)) {
        printf("{\"error\": \"memory and threads to read with expected, found none\"}\n");
        return EXIT_FAILURE;
    }
    printf("{\"ready\": \"read_bandwidth\", \"version\": \"1\"}\n");
    while (fflush(stdout) == 0 && fgets(line, sizeof line, stdin)) {
        printf("{\"bytes\": %llu, \"ns\": %llu}\n", (unsigned long long)part * threads,
               (unsigned long long)fastest_pass());
    }
    return EXIT_SUCCESS;
}
