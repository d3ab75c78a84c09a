/* kapi.h - the kernel API: what a module may import. Exported by src/kernel/load/kapi.c; the host
 * test harness (tests/host/) provides the same functions in a Linux process.
 *
 * Besides these, a module may import the functions of string.h, stdlib.h and stdio.h that are in
 * src/llvmlibc_subset/include and need no floating point. */
#ifndef FLUID_KAPI_H
#define FLUID_KAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An error as the user sees it: a stable code and one sentence: expected, found, what to do. */
struct fluid_error {
    char code[12];  /* "E-GGUF-07"; empty: no error */
    char text[244]; /* UTF-8, no newline */
};

/* Fills *err and returns -1, so that a caller can write: return fluid_fail(err, ...).
 * printf subset: %s %.*s %d %u %x %c %% with l, ll, z. A NULL err is allowed. */
int fluid_fail(struct fluid_error *err, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Zeroed memory aligned to align (power of two <= 4096), NULL when there is not enough.
 * Requests of 2 MiB and more are aligned to 2 MiB. */
void *fluid_alloc(size_t size, size_t align);
void fluid_free(void *memory);
size_t fluid_memory_free(void); /* bytes that fluid_alloc could still give in total */

/* Lets the console take in pasted input; true when the user wants the current work to stop. Call it
 * at least once per layer and batch. */
bool fluid_poll(void);

/* Runs function(context, 0 .. count - 1, core) on all cores, in any order, and returns when all are
 * over. core < fluid_core_count() tells the core, for memory that must not be shared. The function
 * calls nothing of the kernel API, but may call string.h; the result must not depend on the order.
 * A fault in it ends the caller's call, whatever core it was on. */
typedef void fluid_parallel_fn(void *context, uint32_t index, uint32_t core);
void fluid_parallel_for(uint32_t count, fluid_parallel_fn *function, void *context);
uint32_t fluid_core_count(void); /* 1: a loop is as fast */

/* A broken invariant: prints, reports a panic and never returns. */
_Noreturn void fluid_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Operations are called through slots, so that their code can be replaced while the system runs:
 * read .code once per operation, call it, read it again next time. A slot belongs to one operation
 * name ("matmul_q4_1") and one shape; the kernel fills it with the best usable variant. */
struct fluid_slot {
    void *volatile code;
    uint32_t rows, cols; /* shape, 0 where the operation has none */
    const char *name;
    struct profile *profile; /* the kernel's: what calls took */
    /* What is known of the processor or measured on it, 0: as the code does by itself. Of matrix
     * products: */
    uint32_t ahead;      /* matmul_fn's */
    uint32_t piece_work; /* multiplications that a core takes at a time, at most */
    /* The kernel's: told of every call, in fluid_call_end; NULL: nobody wants to know. */
    void (*called)(struct fluid_slot *slot, uint64_t cycles);
};

/* Finds or creates the slot; NULL when no loaded module exports the operation, or without memory.
 * The slot stays valid for the life of the system. */
struct fluid_slot *fluid_slot_get(const char *name, uint32_t rows, uint32_t cols);

/* Around a call, or all of the parts that cores share: counts it and the cycles that the calling
 * task had the processor meanwhile. The first core's only. */
uint64_t fluid_call_begin(void);
void fluid_call_end(struct fluid_slot *slot, uint64_t begin);

/* A call of a function without result. */
#define FLUID_CALL(type, slot, ...)                                                                \
    do {                                                                                           \
        struct fluid_slot *fluid_called = (slot);                                                  \
        uint64_t fluid_begin = fluid_call_begin();                                                 \
        ((type *)fluid_called->code)(__VA_ARGS__);                                                 \
        fluid_call_end(fluid_called, fluid_begin);                                                 \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
