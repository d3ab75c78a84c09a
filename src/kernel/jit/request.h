/* request.h - requests for the compiler (fluid/jit.h), and what is in its responses. */
#ifndef KERNEL_JIT_REQUEST_H
#define KERNEL_JIT_REQUEST_H

#include "fluid/jit.h"
#include "fluid/kapi.h"

#define JIT_CONSTANTS_MAX 4u

struct loaded_module;

/* An entry point of a loaded module that has bitcode, to be compiled for this processor. */
struct jit_job {
    const struct loaded_module *module;
    const char *entry; /* NULL: all of them */
    unsigned level;    /* 0 .. JIT_LEVEL_MAX */
    struct jit_constant constants[JIT_CONSTANTS_MAX];
    uint32_t constant_count;
};

/* The request (kfree) of *size bytes; NULL with E-JIT-35 (no bitcode) or E-JIT-33 (no memory). */
void *jit_request(const struct jit_job *job, size_t *size, struct fluid_error *err);

/* What a response says; mod is within the response. */
struct jit_result {
    const uint8_t *mod;
    size_t mod_size;
    uint64_t parse_ns, optimise_ns, generate_ns;
};

/* -1 with E-JIT-31 when it is none, or with E-JIT-n when the compiler has refused. */
int jit_response(const void *response, size_t size, struct jit_result *result,
                 struct fluid_error *err);

/* Asks the current compiler. *response (kfree) holds what *result points to. -1 with E-JIT-36 when
 * there is no compiler, or any of the codes above. */
int jit_compile(const struct jit_job *job, uint8_t **response, struct jit_result *result,
                struct fluid_error *err);
#endif
