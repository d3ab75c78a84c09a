/* attempt.h - one attempt to give a slot better code: compile, load aside, compare with calls of
 * the model (compare.h), let both take turns (measure.h), decide. The last two steps go on by
 * themselves, so that several slots can be measured at a time. */
#ifndef KERNEL_JIT_ATTEMPT_H
#define KERNEL_JIT_ATTEMPT_H

#include "fluid/cache.h"
#include "jit/measure.h"
#include "jit/request.h"

struct tier;

struct attempt {
    struct attempt *next;
    struct tier *tier;
    unsigned level;
    uint8_t key[CACHE_KEY_SIZE]; /* of the cache entry that comes of it */
    struct jit_job job;
    struct jit_result made;       /* within response */
    uint8_t *response;            /* kfree */
    struct loaded_module *module; /* the candidate, aside; NULL: not yet, or published */
    void *code, *incumbent;
    struct measure measure;
    uint64_t compile_ns;
    uint64_t calls, since_ns; /* of the slot, when they were last looked at; and since then */
    bool abandoned, faulted;
    const char *step; /* for /jit */
};

/* compare.c: calls of the slot are taken down, and the candidate has to make the same of them.
 * Others run. */
enum comparison {
    COMPARED_EQUAL,
    COMPARED_WRONG, /* *reason says how */
    COMPARED_LATER, /* nobody has called the slot, or the attempt was ended from outside */
    COMPARED_NEVER, /* calls of this slot cannot be taken down; *reason */
};
enum comparison compare(struct attempt *attempt, const char **reason);

/* Until *count has reached enough. False: ended from outside, or nothing calls. Others run. */
bool attempt_wait(struct attempt *attempt, const uint32_t *count, uint32_t enough);
/* Is nothing calling, for longer than is worth waiting? */
bool attempt_is_quiet(struct attempt *attempt);
#endif
