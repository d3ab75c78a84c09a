/* share.h - the work of one operation in pieces that all cores take. */
#ifndef LLAMA_SHARE_H
#define LLAMA_SHARE_H

#include "fluid/tensor.h"
#include "weights.h"

/* out (n, w->rows) = x w^T; x in the layout that the type of w wants. Both return false when
 * fluid_poll has said stop: then the result is not whole. */
bool share_product(const struct matrix *w, const void *x, float *out, uint32_t n);
/* As the operation "attention", but scores is (cores, ctx). */
bool share_attention(struct fluid_slot *operation, const struct attention_args *args);

#endif
