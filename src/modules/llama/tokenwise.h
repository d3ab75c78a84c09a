/* tokenwise.h - steps of the forward pass that are computed for each token alone, shared by cores.
 */
#ifndef LLAMA_TOKENWISE_H
#define LLAMA_TOKENWISE_H

#include "model.h"

/* buffers.norm (n, dim) = RMSNorm of x (n, dim). */
void normalise(struct llama_model *m, const float *weight, const float *x, uint32_t n);

/* buffers.quantized = x (n, w->cols) as w's product takes it. */
void quantise(struct llama_model *m, const struct matrix *w, const float *x, uint32_t n);

/* buffers.gate (n, ffn_dim) = silu(gate) * up. */
void activate(struct llama_model *m, uint32_t n);

/* buffers.x (n, dim) += buffers.out: the residual connection. */
void add_residual(struct llama_model *m, uint32_t n);

#endif
