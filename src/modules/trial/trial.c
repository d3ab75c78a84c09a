/* trial.c - takes calls down, and compares what two codes make of them.
 *
 * The memory of a call: a copy of each piece that it reads, then, twice, room for each piece that
 * it writes, with bytes in front and behind that nobody may write. The first is the incumbent's,
 * the second the candidate's; unused memory begins as the same pattern in both, so that all of it
 * can be compared. */
#include <string.h>

#include "calls.h"
#include "fluid/module.h"

#define ALIGN 64u
#define GUARD 64u     /* bytes on each side */
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

struct call *trial_claim(void) {
    struct trial *t = trial_current;
    if (__atomic_load_n(&t->taken, __ATOMIC_RELAXED) >= TRIAL_CALLS)
        return NULL;
    if (__atomic_fetch_add(&t->seen, 1, __ATOMIC_RELAXED) % t->every != 0)
        return NULL;
    uint32_t index = __atomic_fetch_add(&t->taken, 1, __ATOMIC_RELAXED);
    if (index >= TRIAL_CALLS)
        return NULL;
    calls[index].operation = trial_operation;
    return &calls[index];
}

static uint8_t *memory_of(const struct call *call) {
    return trial_current->memory + (size_t)(call - calls) * trial_current->call_bytes;
}

void trial_keep(struct call *call) {
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(call, buffers);
    uint8_t *at = memory_of(call);
    uint64_t copies = room_of_copies(buffers, count);
    if (copies + 2 * room_of_results(buffers, count) > trial_current->call_bytes)
        call->operation = NULL;
    for (uint32_t i = 0; call->operation != NULL && i < count; i++) {
        if (!is_copied(buffers[i].use))
            continue;
        memcpy(at, *buffers[i].pointer, (size_t)buffers[i].bytes);
        at += padded(buffers[i].bytes);
    }
    __atomic_fetch_add(&trial_current->done, 1, __ATOMIC_RELEASE);
}

/* Runs a copy of the call with results at `to`. */
static void run(const struct call *kept, void *code, uint8_t *to, uint64_t room) {
    struct call call = *kept;
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(&call, buffers);
    uint8_t *copy = memory_of(kept);
    memset(to, PATTERN, (size_t)room);
    for (uint32_t i = 0; i < count; i++) {
        const struct buffer *b = &buffers[i];
        if (b->use == USE_IN)
            *b->pointer = copy;
        if (is_written(b->use)) {
            *b->pointer = to + GUARD;
            to += padded(b->bytes) + 2 * GUARD;
        }
        if (b->use == USE_CHANGE)
            memcpy(*b->pointer, copy, (size_t)b->bytes);
        if (is_copied(b->use))
            copy += padded(b->bytes);
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

static enum trial_verdict check(struct call *kept, void *candidate) {
    struct buffer buffers[BUFFERS_MAX];
    uint32_t count = call_buffers(kept, buffers);
    uint64_t room = room_of_results(buffers, count);
    uint8_t *a = memory_of(kept) + room_of_copies(buffers, count), *b = a + room;
    run(kept, trial_current->code, a, room);
    run(kept, candidate, b, room);
    return compare(buffers, count, a, b);
}

FLUID_EXPORT trial_begin_fn trial_begin;

void *trial_begin(const char *operation, struct trial *trial) {
    trial_operation = operation_find(operation);
    if (trial_operation == NULL)
        return NULL;
    trial->seen = trial->taken = trial->done = 0;
    trial_current = trial;
    return wrapper_of(trial_operation->kind);
}

FLUID_EXPORT trial_check_fn trial_check;

enum trial_verdict trial_check(void *candidate) {
    enum trial_verdict verdict = TRIAL_TOO_LARGE;
    for (uint32_t i = 0; i < TRIAL_CALLS && i < trial_current->done; i++) {
        if (calls[i].operation == NULL)
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
