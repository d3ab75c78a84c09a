/* fuzz.h - what the fuzz targets share. A target checks invariants with REQUIRE: a broken one ends
 * the process, and libFuzzer keeps the input that broke it. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fluid/kapi.h"

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* libFuzzer calls these (llvm.org/docs/LibFuzzer.html). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A copy of exactly n bytes, so that AddressSanitizer sees the first byte too many. align 1: as
 * malloc gives it. */
static inline void *fuzz_copy(const void *bytes, size_t n, size_t align) {
    size_t room = n == 0 ? 1 : n;
    void *copy = align == 1 ? malloc(room) : NULL;
    REQUIRE(align == 1 || posix_memalign(&copy, align, room) == 0);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

/* What was refused has a code and one printable sentence that was not cut. */
static inline void fuzz_check_error(const struct fluid_error *err) {
    REQUIRE(strncmp(err->code, "E-", 2) == 0);
    size_t n = strlen(err->text);
    REQUIRE(n > 0 && n < sizeof err->text - 1);
    for (size_t i = 0; i < n; i++)
        REQUIRE((unsigned char)err->text[i] >= ' ' && err->text[i] != 0x7f);
}

#endif
