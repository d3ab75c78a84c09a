/* pack.h - weights rearranged in place, as matrix products want them (pack_fn of tensor.h). */
#ifndef LLAMA_PACK_H
#define LLAMA_PACK_H

#include "weights.h"

/* All matrices, each once. E-MEM-02: no room for sixteen rows on each core. */
int pack_weights(struct weights *w, uint32_t layers, struct fluid_error *err);

#endif
