/* attempt.h - one attempt to make a slot faster. By other code: compile, load aside, compare with
 * calls of the model (compare.c), let both take turns (measure.h), decide. By a knob (tune.h): the
 * last two steps. Measuring goes on by itself, so that several slots can be measured at a time. */
#ifndef KERNEL_JIT_ATTEMPT_H
#define KERNEL_JIT_ATTEMPT_H

#include "fluid/cache.h"
#include "jit/measure.h"
#include "jit/request.h"
#include "jit/tune.h"

struct tier;

struct attempt {
    struct attempt *next;
    struct tier *tier;
    unsigned level;              /* of the candidate's code */
    bool knob;                   /* the same code, in another way */
    char to[TUNE_TEXT_SIZE];     /* "O2", "ahead=8192" */
    uint8_t key[CACHE_KEY_SIZE]; /* of the cache entry that comes of it */
    struct jit_job job;
    struct jit_result made;       /* within response */
    uint8_t *response;            /* kfree */
    struct loaded_module *module; /* the candidate, aside; NULL: not yet, or published */
    struct way incumbent, candidate;
    const struct loaded_module *trial; /* stands in for the slot's code; NULL: not now */
    struct measure measure;
    uint32_t measured;   /* times that it has come to no answer */
    uint64_t several[2]; /* cycles of both for several tokens at a time, alone; 0: not known */
    uint64_t compile_ns;
    uint64_t calls, since_ns; /* of the slot, when they were last looked at; and since then */
    const char *wrong;        /* what it has done; NULL: nothing so far */
    bool abandoned;
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
