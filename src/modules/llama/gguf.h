/* gguf.h - a GGUF file (versions 2 and 3), read in place.
 *
 * Everything that the file claims is checked here once: counts, lengths, types, alignment, and that
 * all data lie inside the file. Behind gguf_open the pointers below may be followed.
 * Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
#ifndef LLAMA_GGUF_H
#define LLAMA_GGUF_H

#include "fluid/tensor.h"
#include "memory.h"
#include "strtab.h"

#define GGUF_MAX_DIMS 4
#define GGUF_ALIGNMENT 32 /* when general.alignment is absent */

enum gguf_kind {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_KINDS
};

struct gguf_value {
    struct span key;
    uint32_t kind; /* enum gguf_kind; of the elements when is_array */
    bool is_array;
    uint64_t count;    /* elements; 1 unless is_array */
    const uint8_t *at; /* first byte; strings begin with their 64-bit length */
    uint64_t bytes;
};

struct gguf_tensor {
    struct span name;
    uint32_t n_dims;
    uint64_t dim[GGUF_MAX_DIMS]; /* dim[0] is the row length; unused ones are 1 */
    uint32_t type;               /* enum ggml_type, one of the supported ones */
    void *data;
    uint64_t bytes;
    bool used; /* some part of the model took it */
};

struct gguf {
    uint8_t *base;
    uint64_t size;
    uint32_t version, n_values, n_tensors;
    struct gguf_value *values;   /* (n_values,) */
    struct gguf_tensor *tensors; /* (n_tensors,) */
    struct strtab by_key, by_name;
};

/* Parses and checks the whole file. Errors E-GGUF-01 to -11. */
int gguf_open(struct gguf *g, struct memory *memory, void *base, uint64_t size,
              struct fluid_error *err);

/* NULL: there is none. */
const struct gguf_value *gguf_find(const struct gguf *g, const char *key);
struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name);

const char *gguf_type_name(uint32_t type); /* "Q4_1"; "type unknown to this version" */
uint32_t gguf_type_block(uint32_t type);   /* weights in one; 0: the type is not supported */

/* Bytes of a row of cols values; 0: cols does not fill whole blocks or the type is not supported.
 */
uint64_t gguf_row_bytes(uint32_t type, uint64_t cols);

/* Of a tensor's type: operations of tensor.h, "matmul_q4_1", "row_q4_1", "pack_q4_1" and
 * "quantize_q8". NULL for the last two: rows are not packed, products take activations as floats.
 */
const char *gguf_type_matmul(uint32_t type);
const char *gguf_type_row(uint32_t type);
const char *gguf_type_pack(uint32_t type);
const char *gguf_type_quantize(uint32_t type);

const char *gguf_kind_name(uint32_t kind);
uint32_t gguf_kind_size(uint32_t kind); /* bytes; 0 for strings and arrays */

/* Typed access. An absent key gives the fallback; GGUF_REQUIRED as fallback: E-GGUF-12. The wrong
 * type: E-GGUF-13; outside min .. max: E-GGUF-14. */
#define GGUF_REQUIRED INT64_MIN
int gguf_u32(const struct gguf *g, const char *key, uint32_t min, uint32_t max, int64_t fallback,
             uint32_t *out, struct fluid_error *err);
int gguf_bool(const struct gguf *g, const char *key, bool fallback, bool *out,
              struct fluid_error *err);
int gguf_f32(const struct gguf *g, const char *key, float min, float max, const float *fallback,
             float *out, struct fluid_error *err);

/* out->at NULL when the key is absent. */
int gguf_string(const struct gguf *g, const char *key, struct span *out, struct fluid_error *err);

/* Array of kind with exactly count elements (count 0: any number up to max); NULL and the error
 * when absent or different. */
const struct gguf_value *gguf_array(const struct gguf *g, const char *key, uint32_t kind,
                                    uint64_t count, uint64_t max, struct fluid_error *err);

#endif
