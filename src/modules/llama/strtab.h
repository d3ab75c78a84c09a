/* strtab.h - hash table from text to index. The texts stay where they are (in the GGUF file); the
 * table holds indices only and asks its owner for the text of one. */
#ifndef LLAMA_STRTAB_H
#define LLAMA_STRTAB_H

#include "bytes.h"
#include "memory.h"

#define STRTAB_NONE UINT32_MAX
#define STRTAB_PROBES                                                                              \
    256 /* honest texts need less than 100, those made to collide all there are                    \
         */

typedef struct span strtab_text_fn(const void *owner, uint32_t index);

struct strtab {
    uint32_t *slot; /* (mask + 1,) index + 1, 0: empty; at most half full */
    uint32_t mask;
    const void *owner;
    strtab_text_fn *text;
};

/* Room for count entries (< 2^30). */
int strtab_init(struct strtab *t, struct memory *memory, uint32_t count, const void *owner,
                strtab_text_fn *text, struct fluid_error *err);

/* Enters index under its text. An entry with the same text stays, and *same is its index; else
 * STRTAB_NONE. -1 with E-GGUF-21 when more than STRTAB_PROBES texts want the same place. */
int strtab_put(struct strtab *t, uint32_t index, uint32_t *same, struct fluid_error *err);

/* As strtab_put, but index takes the place of an entry with the same text. */
int strtab_replace(struct strtab *t, uint32_t index, struct fluid_error *err);

/* Index of the entry whose text is the concatenation of the n parts, or STRTAB_NONE. */
uint32_t strtab_find(const struct strtab *t, const struct span *parts, unsigned n);

#endif
