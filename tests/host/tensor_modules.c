/* tensor_modules.c - the operations of tensor_host.c, out of .mod files.
 *
 * The files that the command line names go through the kernel's loader before main() runs; each
 * operation is a jump to what they export. */
#include "loader_host.h"

#include <stdio.h>
#include <stdlib.h>
#include "load/module.h"
#include "tensor_types.h"

#define OPERATIONS(X)                                                                              \
    X(quantize_q8)                                                                                 \
    X(quantize_q8_k)                                                                               \
    X(rmsnorm)                                                                                     \
    X(rope)                                                                                        \
    X(store_kv)                                                                                    \
    X(attention)                                                                                   \
    X(swiglu)                                                                                      \
    X(add)
#define EACH_TYPE(name)                                                                            \
    OPERATION(matmul_##name)                                                                       \
    OPERATION(row_##name)
#define EACH_PACKED(name) OPERATION(pack_##name)

#ifdef __x86_64__
#define JUMP(to) "jmp *" #to "(%rip)\n"
#else
#define JUMP(to) "jmp *" #to "\n"
#endif

/* Stack and registers stay as they are: this fits any signature. */
#define OPERATION(name)                                                                            \
    void *to_##name;                                                                               \
    __asm__(".globl " #name "\n" #name ": " JUMP(to_##name));
OPERATIONS(OPERATION)
TENSOR_TYPES(EACH_TYPE)
TENSOR_PACKED_TYPES(EACH_PACKED)
#undef OPERATION

static const struct {
    const char *name;
    void **to;
} operations[] = {
#define OPERATION(name) {#name, &to_##name},
    OPERATIONS(OPERATION) TENSOR_TYPES(EACH_TYPE) TENSOR_PACKED_TYPES(EACH_PACKED)};

static void absent(void) {
    fprintf(stderr, "tensor_modules: no module has this operation\n");
    exit(2);
}

__attribute__((constructor)) static void load_modules(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *file = host_read(argv[i], &size);
        struct fluid_error err = {0};
        if (!module_load(file, size, UINT32_MAX, &err)) {
            fprintf(stderr, "%s: %s %s\n", argv[i], err.code, err.text);
            exit(2);
        }
        free(file);
    }
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        *operations[i].to = module_find_export(operations[i].name);
        if (!*operations[i].to)
            *operations[i].to = (void *)absent;
    }
}
