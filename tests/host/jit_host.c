/* jit_host.c - what the kernel makes of the compiler's bytes, in a Linux process:
 *
 *     note FILE               the build ID of an ELF file
 *     response FILE           what a response says
 *     request FILE ENTRY LEVEL FEATURES [SIZE]
 *                             the request for bitcode in FILE (with SIZE: as if it had so many
 *                             bytes), on standard output
 *     level CALLS CYCLES      the level that they are worth
 *     compile FILE            what comes of a compiler that answers with FILE; "-": that has none
 *
 * Errors are printed as "CODE TEXT". */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/cpu.h"
#include "fluid/cpu.h"
#include "jit/compiler.h"
#include "jit/elf_note.h"
#include "jit/request.h"
#include "jit/tier_internal.h"
#include "load/module.h"
#include "mm/heap.h"

#define FILE_MAX (20u << 20)
#define CONSTANT {.entry = 0, .argument = 0, .field_off = 52, .size = 4, .value = 64}

/* ---- the kernel around it */

struct loaded_module {
    const uint8_t *bitcode;
    size_t size;
};

static struct cpu_info info;
static size_t heap_left = SIZE_MAX;

const struct cpu_info *cpu_info(void) {
    return &info;
}

size_t cpu_feature_names(uint64_t features, char *to, size_t size) {
#define NAME(name, text, bit, leaf, sub, reg, pos, xcr0) [bit] = text,
    static const char *const names[32] = {FLUID_CPU_FEATURES(NAME)};
    size_t used = 0;
    to[0] = '\0';
    for (unsigned bit = 0; bit < 32; bit++)
        if (features >> bit & 1 && names[bit] && used < size)
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? " " : "", names[bit]);
    return used;
}

const char *module_name(const struct loaded_module *m) {
    static char name[MOD_NAME_SIZE] = "tensor_x";
    (void)m;
    return name;
}

uint32_t module_rank(const struct loaded_module *m) {
    (void)m;
    return 3;
}

const uint8_t *module_source(const struct loaded_module *m) {
    static const uint8_t source[MOD_SOURCE_SIZE] = {1, 2, 3};
    (void)m;
    return source;
}

uint64_t module_bitcode_cpu(const struct loaded_module *m) {
    (void)m;
    return UINT64_MAX; /* of a variant that knows all features */
}

const void *module_bitcode(const struct loaded_module *m, size_t *size) {
    *size = m->size;
    return m->bitcode;
}

struct loaded_module *module_of_export(const char *name) {
    (void)name;
    return NULL;
}

void *kzalloc(size_t size) {
    return size > heap_left ? NULL : calloc(1, size);
}

void kfree(void *memory) {
    free(memory);
}

int ksnprintf(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}

/* ---- commands */

/* Exactly as large as the file, for AddressSanitizer to see what is read behind it. */
static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_MAX);
    if (!file || !bytes)
        abort();
    *size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    uint8_t *exact = malloc(*size);
    if (*size > 0)
        memcpy(exact, bytes, *size);
    free(bytes);
    return exact;
}

static int print_error(const struct fluid_error *err) {
    printf("%s %s\n", err->code, err->text);
    return 0;
}

static int note(const char *path) {
    char hex[COMPILER_TOOLCHAIN_SIZE];
    struct fluid_error err;
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    if (elf_build_id(bytes, size, hex, sizeof hex, &err) == 0)
        printf("%s\n", hex);
    else
        print_error(&err);
    free(bytes);
    return 0;
}

static void print_result(const struct jit_result *r, const uint8_t *bytes) {
    printf("%zu at %zu, %llu %llu %llu\n", r->mod_size, (size_t)(r->mod - bytes),
           (unsigned long long)r->parse_ns, (unsigned long long)r->optimise_ns,
           (unsigned long long)r->generate_ns);
}

static int response(const char *path) {
    struct fluid_error err;
    struct jit_result result;
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    if (jit_response(bytes, size, &result, &err) == 0)
        print_result(&result, bytes);
    else
        print_error(&err);
    free(bytes);
    return 0;
}

static int request(char **a, int count) {
    struct loaded_module module;
    struct fluid_error err;
    size_t size;
    uint8_t *bitcode = read_file(a[0], &module.size);
    module.bitcode = module.size > 0 ? bitcode : NULL;
    struct jit_job job = {.module = &module, .entry = a[1], .level = (unsigned)atoi(a[2])};
    job.constants[0] = (struct jit_constant)CONSTANT;
    job.constant_count = 1;
    info.features = (uint32_t)strtoul(a[3], NULL, 0);
    if (count > 4) {
        module.size = strtoul(a[4], NULL, 0);
        heap_left = 1 << 20;
    }
    void *bytes = jit_request(&job, &size, &err);
    if (bytes)
        fwrite(bytes, 1, size, stdout);
    else
        print_error(&err);
    free(bytes);
    free(bitcode);
    return 0;
}

static const char *answer_path;

static int answer(const void *asked, size_t size, uint8_t **to, size_t *got,
                  struct fluid_error *err) {
    (void)asked, (void)size, (void)err;
    *to = read_file(answer_path, got);
    return 0;
}

static int compile(const char *path) {
    static const struct compiler compiler = {.name = "test", .compile = answer};
    struct loaded_module module = {(const uint8_t *)"bitcode", 7};
    const struct jit_job job = {.module = &module, .entry = "add", .level = 1};
    struct fluid_error err;
    struct jit_result result;
    uint8_t *bytes = NULL;
    answer_path = path;
    compiler_set(strcmp(path, "-") == 0 ? NULL : &compiler);
    if (jit_compile(&job, &bytes, &result, &err) == 0)
        print_result(&result, bytes);
    else
        print_error(&err);
    free(bytes);
    return 0;
}

int main(int count, char **a) {
    if (count == 3 && strcmp(a[1], "note") == 0)
        return note(a[2]);
    if (count == 3 && strcmp(a[1], "response") == 0)
        return response(a[2]);
    if (count >= 6 && strcmp(a[1], "request") == 0)
        return request(a + 2, count - 2);
    if (count == 3 && strcmp(a[1], "compile") == 0)
        return compile(a[2]);
    if (count == 4 && strcmp(a[1], "level") == 0)
        return printf("%u\n", tier_level_of(strtoull(a[2], NULL, 0), strtoull(a[3], NULL, 0))) < 0;
    return 2;
}
