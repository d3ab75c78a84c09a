/* profile.c - fluid-host with source coverage (check=coverage): the compiler's runtime writes the
 * counters of the program when it exits, this file those of the modules, in the same raw format
 * (profile/InstrProfData.inc) and next to it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fluid/coverage.h"
#include "lib/panic.h"
#include "load/kapi.h"

#define MODULES_MAX 64u

enum {
#define VALUE_PROF_KIND(enumerator, value, text) enumerator = value,
#include "profile/InstrProfData.inc"
};

typedef uintptr_t IntPtrT;
struct function_data {
#define INSTR_PROF_DATA(type, llvm_type, name, initializer) type name;
#include "profile/InstrProfData.inc"
};

struct raw_header {
#define INSTR_PROF_RAW_HEADER(type, name, initializer) type name;
#include "profile/InstrProfData.inc"
};

/* compiler-rt/lib/profile */
uint64_t __llvm_profile_get_magic(void);
uint64_t __llvm_profile_get_version(void);
const char *__llvm_profile_get_filename(void);

static struct fluid_coverage modules[MODULES_MAX];
static unsigned module_count;

static void write_module(FILE *file, const struct fluid_coverage *m) {
    static const char zeros[8];
    size_t data = (size_t)(m->data_end - m->data_begin);
    size_t counters = (size_t)(m->counters_end - m->counters_begin);
    size_t names = (size_t)(m->names_end - m->names_begin);
    struct raw_header header = {
        .Magic = __llvm_profile_get_magic(),
        .Version = __llvm_profile_get_version(),
        .NumData = data / sizeof(struct function_data),
        .NumCounters = counters / sizeof(uint64_t),
        .NamesSize = names,
        .CountersDelta = (uintptr_t)m->counters_begin - (uintptr_t)m->data_begin,
        .BitmapDelta = (uintptr_t)m->counters_end - (uintptr_t)m->data_begin,
        .NamesDelta = (uintptr_t)m->names_begin,
        .ValueKindLast = IPVK_Last,
    };
    fwrite(&header, sizeof header, 1, file);
    fwrite(m->data_begin, 1, data, file);
    fwrite(m->counters_begin, 1, counters, file);
    fwrite(m->names_begin, 1, names, file);
    fwrite(zeros, 1, -names % sizeof zeros, file);
}

static void write_modules(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s.modules", __llvm_profile_get_filename());
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        return;
    }
    for (unsigned i = 0; i < module_count; i++)
        write_module(file, &modules[i]);
    if (fclose(file) != 0)
        perror(path);
}

void fluid_coverage_add(const struct fluid_coverage *ranges) {
    KASSERT(module_count < MODULES_MAX);
    if (module_count == 0)
        atexit(write_modules);
    modules[module_count++] = *ranges;
}

/* The linker's --wrap=kapi_resolve puts this function in front of kapi.c's. */
void *__real_kapi_resolve(const char *name);
void *__wrap_kapi_resolve(const char *name);

void *__wrap_kapi_resolve(const char *name) {
    if (strcmp(name, "fluid_coverage_add") == 0)
        return (void *)fluid_coverage_add;
    return __real_kapi_resolve(name);
}
