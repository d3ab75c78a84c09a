/* sample.c - a ring of addresses between the timer's handler and the table of stacks. */
#include "prof/sample.h"

#include "arch/x86/backtrace.h"
#include "arch/x86/interrupts.h"
#include "lib/string.h"
#include "load/ksyms.h"
#include "mm/heap.h"
#include "task/task.h"

#define RING 256u    /* samples: more than two seconds */
#define STACKS 1024u /* different ones */
#define HASH_PRIME 0x01000193u

struct sample {
    uint32_t depth;
    uintptr_t address[SAMPLE_DEPTH]; /* the instruction, then return addresses */
};

static struct sample ring[RING];
static volatile uint32_t written, read; /* samples so far; the difference is in the ring */
static uintptr_t interrupted_ip, interrupted_frame;
static struct sample_totals totals;
static struct sample_stack *stacks; /* (STACKS,) by hash; count 0: free */

void sample_init(void) {
    stacks = kcalloc(STACKS, sizeof(*stacks));
}

void sample_interrupted(uintptr_t ip, uintptr_t frame_pointer) {
    interrupted_ip = ip;
    interrupted_frame = frame_pointer;
}

void sample_tick(void) {
    uintptr_t trace[BACKTRACE_MAX];
    struct sample *s = &ring[written % RING];
    size_t depth;

    if (task_is_idle()) {
        totals.idle++;
        return;
    }
    if (written - read == RING) {
        totals.lost++;
        return;
    }
    depth = backtrace(interrupted_ip, 0, interrupted_frame, trace);
    s->depth = depth < SAMPLE_DEPTH ? (uint32_t)depth : SAMPLE_DEPTH;
    memcpy(s->address, trace, s->depth * sizeof(trace[0]));
    written++;
}

bool sample_fold_is_due(void) {
    return written - read >= RING / 2;
}

/* The timer's handler counts here, too. */
static void lose(uint32_t samples) {
    uintptr_t flags = interrupts_hold();

    totals.lost += samples;
    interrupts_release(flags);
}

static uint32_t hash_of(const struct sample_stack *s) {
    uint32_t hash = s->depth;

    for (uint32_t i = 0; i < s->depth; i++)
        hash = ((hash << 5 | hash >> 27) ^ (uint32_t)s->start[i]) * HASH_PRIME;
    return hash;
}

static bool same(const struct sample_stack *a, const struct sample_stack *b) {
    return a->depth == b->depth && memcmp(a->start, b->start, a->depth * sizeof(a->start[0])) == 0;
}

static void count(const struct sample_stack *s, uint32_t times) {
    uint32_t at = hash_of(s) % STACKS;

    for (uint32_t i = 0; i < STACKS; i++, at = (at + 1) % STACKS) {
        if (stacks[at].count == 0)
            stacks[at] = *s;
        else if (!same(&stacks[at], s))
            continue;
        stacks[at].count += times;
        totals.taken += times;
        return;
    }
    lose(times);
}

void sample_fold(void) {
    if (!stacks)
        sample_init();
    for (; read != written; read++) {
        const struct sample *from = &ring[read % RING];
        struct sample_stack s = {.depth = from->depth};

        if (!stacks) {
            lose(1);
            continue;
        }
        for (uint32_t i = 0; i < s.depth; i++)
            s.start[i] = ksyms_function(from->address[i] - (i > 0)); /* within the call */
        count(&s, 1);
    }
}

void sample_forget(uintptr_t start, size_t size) {
    sample_fold();
    for (uint32_t i = 0; stacks && i < STACKS; i++)
        for (uint32_t k = 0; k < stacks[i].depth; k++)
            if (stacks[i].start[k] - start < size)
                stacks[i].start[k] = 0;
}

void sample_for_each(void (*visit)(const struct sample_stack *stack)) {
    for (uint32_t i = 0; stacks && i < STACKS; i++)
        if (stacks[i].count > 0)
            visit(&stacks[i]);
}

struct sample_totals sample_totals(void) {
    uintptr_t flags = interrupts_hold();
    struct sample_totals now = totals;

    interrupts_release(flags);
    return now;
}

void sample_reset(void) {
    uintptr_t flags = interrupts_hold();

    read = written;
    totals = (struct sample_totals){0};
    interrupts_release(flags);
    if (stacks)
        memset(stacks, 0, STACKS * sizeof(*stacks));
}
