/* rope.h - rotary positions: the keys that scale them, and the table of angles. */
#ifndef LLAMA_ROPE_H
#define LLAMA_ROPE_H

#include "config.h"

/* Reads llama.rope.*. E-GGUF-18 for a kind of scaling that is not supported. */
int rope_read(struct rope_config *rope, uint32_t ctx_model, const struct gguf *g,
              struct fluid_error *err);
/* table (ctx, rope_dim / 2, 2): cos and sin of position * frequency i, times the magnitude. factors
 * (rope_dim / 2,) divide the frequencies; NULL: they are all 1. */
void rope_fill(float *table, uint32_t ctx, const struct config *c, const float *factors);

#endif
