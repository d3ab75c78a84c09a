/* entry.h - what the cache keeps of tiers: the module that was made for a slot at a level, or that
 * it was not worth it. */
#ifndef KERNEL_JIT_ENTRY_H
#define KERNEL_JIT_ENTRY_H

#include <stdbool.h>

#include "fluid/cache.h"
#include "fluid/kapi.h"
#include "jit/request.h"

#define ENTRY_CODE 1u      /* kinds of cache entries: a tier's, */
#define ENTRY_KNOBS 2u     /* what was found for a slot without compiling (tune.c), */
#define ENTRY_TOOLCHAIN 3u /* and who has compiled (toolchain.c) */
#define ENTRY_VERSION 2u

/* "code"; for people. */
const char *entry_kind_name(uint16_t kind);

/* In front of the .mod; little-endian. */
struct entry {
    uint32_t version;
    uint32_t mod_size;                    /* 0: the code was correct, but no faster */
    uint32_t level_before;                /* of the code that it was measured against; 0: T0 */
    uint32_t reserved;                    /* 0 */
    uint64_t cycles_before, cycles_after; /* of a call, when it was measured */
    uint64_t compile_ns;
};

/* The key of what the job makes here; false: nobody compiles, nor has ever done so. */
bool entry_key(const struct jit_job *job, uint32_t rows, uint32_t cols,
               uint8_t key[CACHE_KEY_SIZE]);

/* What measurements depend on besides: " on GenuineIntel-6-106-6 for x86-64", the processor's model
 * and the variant that the module is. Returns its length. */
size_t entry_plan_machine(const struct loaded_module *m, char *text, size_t size);

/* What the operation's name says of its weights: "q4_1" of "matmul_q4_1". */
const char *entry_quant(const char *operation);

enum entry_state { ENTRY_ABSENT, ENTRY_FOUND, ENTRY_QUARANTINED };
/* Reads one; *mod (kfree) is NULL unless its mod_size is more than 0. */
enum entry_state entry_read(const uint8_t key[CACHE_KEY_SIZE], struct entry *entry, uint8_t **mod);
/* Says that a slot has found none; the key is that of its lowest level. */
void entry_missed(const uint8_t key[CACHE_KEY_SIZE]);
/* benefit: of any unit. What cannot be written is warned of. */
void entry_put(const uint8_t key[CACHE_KEY_SIZE], const struct entry *entry, const void *mod,
               uint64_t benefit);
/* Small entries of another kind, in silence: all of `size` bytes, or nothing. */
void entry_put_bytes(uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], const void *bytes,
                     size_t size, uint64_t benefit);
bool entry_get_bytes(uint16_t kind, const uint8_t key[CACHE_KEY_SIZE], void *bytes, size_t size);
/* It may not come back. */
void entry_quarantine(const uint8_t key[CACHE_KEY_SIZE]);
#endif
