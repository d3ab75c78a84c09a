/* share.h - the work of one operation in pieces that all cores take. */
#ifndef LLAMA_SHARE_H
#define LLAMA_SHARE_H

#include "fluid/tensor.h"
#include "weights.h"

/* Between evaluations: what multiplications have cost. Of one evaluation: how far it is from the
 * next look at the console. */
struct share {
    uint64_t cost;   /* cycles of 1024 multiplications, on all cores together; 0: unknown */
    uint64_t cycles; /* since the last look */
    bool stopped;    /* fluid_poll has said stop: results are not whole from here on */
};

/* out (n, w->rows) = x w^T; x in the layout that the type of w wants. */
struct product {
    const struct matrix *w;
    const void *x;
    float *out;
};

/* Up to SHARE_PRODUCTS products for the same n tokens, none of which needs another's result. */
#define SHARE_PRODUCTS 3
void share_products(struct share *share, const struct product *products, uint32_t count,
                    uint32_t n);
/* As the operation "attention". */
void share_attention(struct share *share, struct fluid_slot *operation,
                     const struct attention_args *args);

/* What is done for each token of a batch alone: function(context, first, count) for ranges of n
 * tokens, as one call of the slot's operation. */
typedef void share_tokens_fn(const void *context, uint32_t first, uint32_t count);
void share_tokens(struct fluid_slot *operation, uint32_t n, share_tokens_fn *function,
                  const void *context);

#endif
