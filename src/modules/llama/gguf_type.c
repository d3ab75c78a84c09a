/* gguf_type.c - the types of tensors: names, sizes, operations. */
#include "gguf.h"

#include "checked.h"

/* ggml.h, enum ggml_type; holes are types that were removed. */
static const char *const type_names[] = {
    "F32",    "F16",   "Q4_0",  "Q4_1",   NULL,    NULL,    "Q5_0",    "Q5_1",   "Q8_0",    "Q8_1",
    "Q2_K",   "Q3_K",  "Q4_K",  "Q5_K",   "Q6_K",  "Q8_K",  "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
    "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",    "I16",   "I32",     "I64",    "F64",     "IQ1_M",
    "BF16",   NULL,    NULL,    NULL,     "TQ1_0", "TQ2_0", NULL,      NULL,     NULL,      "MXFP4",
};

#define FLOATS(name) "matmul_" name, "row_" name, NULL, NULL
#define PACKED(name, activations) "matmul_" name, "row_" name, "pack_" name, "quantize_" activations

/* Those that there are operations for; block 0: there are none. */
static const struct supported {
    uint16_t block; /* weights */
    uint16_t bytes; /* of a block */
    const char *matmul, *row, *pack, *quantize;
} supported[GGML_TYPES] = {
    [GGML_TYPE_F32] = {1, 4, FLOATS("f32")},
    [GGML_TYPE_F16] = {1, 2, FLOATS("f16")},
    [GGML_TYPE_BF16] = {1, 2, FLOATS("bf16")},
    [GGML_TYPE_Q4_0] = {QUANT_BLOCK, 2 + 16, PACKED("q4_0", "q8")},
    [GGML_TYPE_Q4_1] = {QUANT_BLOCK, 2 + 2 + 16, PACKED("q4_1", "q8")},
    [GGML_TYPE_Q5_0] = {QUANT_BLOCK, 2 + 4 + 16, PACKED("q5_0", "q8")},
    [GGML_TYPE_Q5_1] = {QUANT_BLOCK, 2 + 2 + 4 + 16, PACKED("q5_1", "q8")},
    [GGML_TYPE_Q8_0] = {QUANT_BLOCK, 2 + 32, PACKED("q8_0", "q8")},
    [GGML_TYPE_Q2_K] = {SUPER_BLOCK, 16 + 64 + 2 + 2, PACKED("q2_k", "q8_k")},
    [GGML_TYPE_Q3_K] = {SUPER_BLOCK, 32 + 64 + 12 + 2, PACKED("q3_k", "q8_k")},
    [GGML_TYPE_Q4_K] = {SUPER_BLOCK, 2 + 2 + 12 + 128, PACKED("q4_k", "q8_k")},
    [GGML_TYPE_Q5_K] = {SUPER_BLOCK, 2 + 2 + 12 + 32 + 128, PACKED("q5_k", "q8_k")},
    [GGML_TYPE_Q6_K] = {SUPER_BLOCK, 128 + 64 + 16 + 2, PACKED("q6_k", "q8_k")},
};

static const struct supported *find(uint32_t type) {
    return type < GGML_TYPES && supported[type].block > 0 ? &supported[type] : NULL;
}

const char *gguf_type_name(uint32_t type) {
    const char *name = type < sizeof type_names / sizeof *type_names ? type_names[type] : NULL;
    return name == NULL ? "a type unknown to this version" : name;
}

uint32_t gguf_type_block(uint32_t type) {
    const struct supported *s = find(type);
    return s != NULL ? s->block : 0;
}

uint64_t gguf_row_bytes(uint32_t type, uint64_t cols) {
    const struct supported *s = find(type);
    return s != NULL && cols % s->block == 0 ? checked_mul(cols / s->block, s->bytes) : 0;
}

const char *gguf_type_matmul(uint32_t type) {
    return supported[type].matmul;
}

const char *gguf_type_row(uint32_t type) {
    return supported[type].row;
}

const char *gguf_type_pack(uint32_t type) {
    return supported[type].pack;
}

const char *gguf_type_quantize(uint32_t type) {
    return supported[type].quantize;
}
