/* tensor_types.h - the types of weights that there are tensor operations for: X(q4_1) for each. */
#ifndef TENSOR_TYPES_H
#define TENSOR_TYPES_H

#define TENSOR_FLOAT_TYPES(X)                                                                      \
    X(f32)                                                                                         \
    X(f16)                                                                                         \
    X(bf16)
#define TENSOR_PACKED_TYPES(X)                                                                     \
    X(q8_0)                                                                                        \
    X(q4_0)                                                                                        \
    X(q4_1)                                                                                        \
    X(q5_0)                                                                                        \
    X(q5_1)                                                                                        \
    X(q2_k)                                                                                        \
    X(q3_k)                                                                                        \
    X(q4_k)                                                                                        \
    X(q5_k)                                                                                        \
    X(q6_k)
#define TENSOR_TYPES(X) TENSOR_FLOAT_TYPES(X) TENSOR_PACKED_TYPES(X)

#endif
