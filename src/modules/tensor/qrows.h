/* qrows.h - part of qmatmul.h's template: where the rows of a group stand. */
#ifndef FLUID_TENSOR_QROWS_H
#define FLUID_TENSOR_QROWS_H

#include "simd.h"

/* The weights of a group of rows; a group at the end repeats its last row, its lanes are dropped.
 */
struct q_rows {
    const struct q_block *row[ROW_GROUP]; /* (blocks,) each */
};

TENSOR_INLINE struct q_rows q_rows_at(const struct q_block *w, uint32_t first, uint32_t rows,
                                      uint32_t blocks) {
    struct q_rows group;
    for (uint32_t i = 0; i < ROW_GROUP; i++) {
        uint32_t r = first + i < rows ? first + i : rows - 1;
        group.row[i] = w + (size_t)r * blocks;
    }
    return group;
}

TENSOR_INLINE struct q_rows q_rows_block(const struct q_rows *group, uint32_t block) {
    struct q_rows at;
    for (uint32_t i = 0; i < ROW_GROUP; i++)
        at.row[i] = group->row[i] + block;
    return at;
}

#endif
