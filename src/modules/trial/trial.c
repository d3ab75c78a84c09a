/* trial.c - takes calls down, and compares what two codes make of them.
 *
 * The memory of a call: a copy of each piece that it reads, room for what varies (vary.c), then,
 * twice, room for each piece that it writes, with bytes in front and behind that nobody may write.
 * The first is the incumbent's, the second the candidate's; unused memory begins as the same
 * pattern in both, so that all of it can be compared. */
#include <string.h>

#include "calls.h"
#include "fluid/kapi.h"
#include "fluid/module.h"

#define ALIGN 64u
#define GUARD 64u     /* bytes on each side */
#define REPEATS 12u   /* of a call for several tokens, with each code */
#define PATTERN 0xa5u /* as a float -2.9e-16: no plausible result */

struct trial *trial_current;
const struct operation *trial_operation;
static struct call calls[TRIAL_CALLS];

static uint64_t padded(uint64_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static bool is_copied(enum use use) {
    return use == USE_IN || use == USE_CHANGE;
}

static bool is_written(enum use use) {
    return use == USE_OUT || use == USE_CHANGE || use == USE_SCRATCH;
}

static uint64_t room_of_results(const struct buffer *buffers, uint32_t count) {
    uint64_t room = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_written(buffers[i].use))
            room += padded(buffers[i].bytes) + 2 * GUARD;
    return room;
}

static uint64_t room_of_copies(const struct buffer *buffers, uint32_t count) {
    uint64_t room = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_copied(buffers[i].use))
            room += padded(buffers[i].bytes);
    return room;
}

/* Of each of `calls`. */
enum { FREE, BEING_TAKEN, TAKEN };
static uint32_t state[TRIAL_CALLS];

struct call *trial_claim(void) {
    struct trial *t = trial_current;
    if (__atomic_load_n(&t->done, __ATOMIC_RELAXED) >= TRIAL_CALLS)
        return NULL;
    uint32_t seen = __atomic_fetch_add(&t->seen, 1, __ATOMIC_RELAXED);
    if (seen > TRIAL_SEEN_MAX)
        __atomic_store_n(&t->done, TRIAL_CALLS, __ATOMIC_RELEASE);
    if (seen % t->every != 0)
        return NULL;
    for (uint32_t i = 0; i < TRIAL_CALLS; i++) {
        uint32_t free = FREE;
        if (__atomic_compare_exchange_n(&state[i], &free, BEING_TAKEN, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            calls[i].operation = trial_operation;
            return &calls[i];
        }
    }
    return NULL;
}

static uint8_t *memory_of(const struct call *call) {
    return trial_current->memory + (size_t)(call - calls) * trial_current->call_bytes;
}

static bool fits(struct call *call, const struct buffer *buffers, uint32_t count) {
    uint64_t results = room_of_results(buffers, count);
    uint64_t varied = padded(call_vary_results(call)) + 2 * GUARD;
    uint64_t most = results > varied ? results : varied;
    return room_of_copies(buffers, count) + padded(call_vary_room(call)) + 2 * most <=
           trial_current->call_bytes;
}

void trial_keep(struct call *call) {
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(call, buffers);
    uint8_t *at = memory_of(call);
    if (!fits(call, buffers, count)) { /* another one may be smaller */
        __atomic_store_n(&state[call - calls], FREE, __ATOMIC_RELEASE);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!is_copied(buffers[i].use))
            continue;
        memcpy(at, *buffers[i].pointer, (size_t)buffers[i].bytes);
        *buffers[i].pointer = at;
        at += padded(buffers[i].bytes);
    }
    __atomic_store_n(&state[call - calls], TAKEN, __ATOMIC_RELEASE);
    __atomic_fetch_add(&trial_current->done, 1, __ATOMIC_RELEASE);
}

/* Runs a copy of the call, what it reads being copies already, with results at `to`. */
static void run(const struct call *kept, void *code, uint8_t *to, uint64_t room) {
    struct call call = *kept;
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(&call, buffers);
    memset(to, PATTERN, (size_t)room);
    for (uint32_t i = 0; i < count; i++) {
        const struct buffer *b = &buffers[i];
        if (!is_written(b->use))
            continue;
        if (b->use == USE_CHANGE)
            memcpy(to + GUARD, *b->pointer, (size_t)b->bytes);
        *b->pointer = to + GUARD;
        to += padded(b->bytes) + 2 * GUARD;
    }
    call_run(&call, code);
}

static bool is_pattern(const uint8_t *bytes, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        if (bytes[i] != PATTERN)
            return false;
    return true;
}

static enum trial_verdict compare(const struct buffer *buffers, uint32_t count, const uint8_t *a,
                                  const uint8_t *b) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bytes = buffers[i].bytes, room = padded(bytes) + 2 * GUARD;
        if (!is_written(buffers[i].use))
            continue;
        if (!is_pattern(b, GUARD) || !is_pattern(b + GUARD + bytes, room - GUARD - bytes))
            return TRIAL_OVERRUN;
        if (buffers[i].use != USE_SCRATCH && memcmp(a + GUARD, b + GUARD, (size_t)bytes) != 0)
            return TRIAL_DIFFERS;
        a += room;
        b += room;
    }
    return TRIAL_EQUAL;
}

/* Cycles of a call that this task had, its results being somewhere by now. */
static uint64_t cycles_of(const struct call *call, void *code) {
    uint64_t begin = fluid_call_begin();
    call_run(call, code);
    return fluid_call_begin() - begin;
}

static uint64_t lower_quartile(uint64_t *values, uint32_t count) {
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t at = i; at > 0 && values[at - 1] > values[at]; at--) {
            uint64_t value = values[at];
            values[at] = values[at - 1];
            values[at - 1] = value;
        }
    return values[count / 4];
}

/* One is enough. */
static bool is_to_be_timed(const struct call *call, uint32_t which) {
    return which > 0 && call->matmul.n == CALL_SEVERAL && trial_current->several[0] == 0;
}

/* Both codes in turns, A B B A, with results at `to`. */
static void time_several(struct call call, void *candidate, uint8_t *to) {
    void *const codes[] = {trial_current->code, candidate};
    uint64_t cycles[2][REPEATS];
    call.matmul.out = (float *)(void *)to;
    for (uint32_t i = 0; i < 2 * REPEATS; i++) {
        uint32_t side = (i ^ i >> 1) & 1;
        cycles[side][i / 2] = cycles_of(&call, codes[side]);
    }
    for (uint32_t side = 0; side < 2; side++)
        trial_current->several[side] = lower_quartile(cycles[side], REPEATS);
}

static enum trial_verdict check_one(struct call *call, uint8_t *results, void *candidate) {
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(call, buffers);
    uint64_t room = room_of_results(buffers, count);
    run(call, trial_current->code, results, room);
    run(call, candidate, results + room, room);
    return compare(buffers, count, results, results + room);
}

/* The call, and what varies of it. */
static enum trial_verdict check(const struct call *kept, void *candidate) {
    struct call call = *kept;
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(&call, buffers), which = 0;
    uint8_t *varied = memory_of(kept) + room_of_copies(buffers, count);
    uint8_t *results = varied + padded(call_vary_room(&call));
    enum trial_verdict verdict;
    do {
        verdict = check_one(&call, results, candidate);
        if (verdict == TRIAL_EQUAL && is_to_be_timed(&call, which))
            time_several(call, candidate, results + GUARD);
        call = *kept;
    } while (verdict == TRIAL_EQUAL && call_vary(&call, ++which, varied));
    return verdict;
}

FLUID_EXPORT trial_begin_fn trial_begin;

void *trial_begin(const char *operation, struct trial *trial) {
    trial_operation = operation_find(operation);
    if (trial_operation == NULL)
        return NULL;
    trial->seen = trial->done = 0;
    trial->several[0] = trial->several[1] = 0;
    memset(state, 0, sizeof state);
    trial_current = trial;
    return wrapper_of(trial_operation->kind);
}

FLUID_EXPORT trial_check_fn trial_check;

enum trial_verdict trial_check(void *candidate) {
    enum trial_verdict verdict = TRIAL_TOO_LARGE;
    for (uint32_t i = 0; i < TRIAL_CALLS; i++) {
        if (__atomic_load_n(&state[i], __ATOMIC_ACQUIRE) != TAKEN)
            continue;
        verdict = check(&calls[i], candidate);
        if (verdict != TRIAL_EQUAL)
            return verdict;
    }
    return verdict;
}

FLUID_EXPORT trial_end_fn trial_end;

void trial_end(void) {
    trial_current = NULL;
}
