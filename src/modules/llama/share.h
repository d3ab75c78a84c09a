/* share.h - the work of one operation in pieces that all cores take. */
#ifndef LLAMA_SHARE_H
#define LLAMA_SHARE_H

#include "fluid/tensor.h"
#include "weights.h"

/* Of one evaluation: how far it is from the next look at the console. */
struct share {
    uint64_t work; /* multiplications since the last one */
    bool stopped;  /* fluid_poll has said stop: results are not whole from here on */
};

/* out (n, w->rows) = x w^T; x in the layout that the type of w wants. */
void share_product(struct share *share, const struct matrix *w, const void *x, float *out,
                   uint32_t n);
/* As the operation "attention", but scores is (cores, ctx). */
void share_attention(struct share *share, struct fluid_slot *operation,
                     const struct attention_args *args);

#endif
