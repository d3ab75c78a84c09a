/* profile.c - fluid-host with source coverage (check=coverage): the compiler's runtime writes the
 * counters of the program when it exits, this file those of each module when it goes or the program
 * exits, in the same raw format (profile/InstrProfData.inc) and next to it, with the module's name
 * and variant behind the file's. They go to the folder that the environment names. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fluid/coverage.h"
#include "lib/panic.h"
#include "load/module.h"
#include "prof/counters.h"

#define MODULES_MAX 64u
#define FOLDER "FLUID_COVERAGE" /* site_scons/fluid/coverage.py */
#define PATH_SIZE 4096

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
void __llvm_profile_set_filename(const char *pattern);

static struct fluid_coverage modules[MODULES_MAX];
static unsigned module_count;

static void write_profile(FILE *file, const struct fluid_coverage *m) {
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

/* Appended, since a module may come again. */
static void write_module(const struct fluid_coverage *ranges) {
    const struct loaded_module *m = module_at((uintptr_t)ranges->counters_begin);
    char path[PATH_SIZE];

    if (!m)
        return; /* it was refused after its initialisers had run */
    snprintf(path, sizeof path, "%s.%s@%s", __llvm_profile_get_filename(), module_name(m),
             module_target(m));
    FILE *file = fopen(path, "ab");
    if (file)
        write_profile(file, ranges);
    if (!file || fclose(file) != 0)
        perror(path);
}

/* Those that lie in start .. start + size; they are known no more. */
static void write_modules(uintptr_t start, size_t size) {
    for (unsigned i = 0; i < module_count; i++) {
        if ((uintptr_t)modules[i].counters_begin - start >= size)
            continue;
        write_module(&modules[i]);
        modules[i--] = modules[--module_count];
    }
}

static void write_rest(void) {
    write_modules(0, SIZE_MAX);
}

__attribute__((constructor)) static void name_profile(void) {
    static char path[PATH_SIZE];
    const char *folder = getenv(FOLDER);
    if (folder && snprintf(path, sizeof path, "%s/fluid-host.%%p.profraw", folder) < PATH_SIZE)
        __llvm_profile_set_filename(path);
}

/* The linker's --wrap puts these in front of prof/counters.c's. */
void __real_fluid_coverage_add(const struct fluid_coverage *ranges);
void __wrap_fluid_coverage_add(const struct fluid_coverage *ranges);
void __real_counters_forget(uintptr_t start, size_t size);
void __wrap_counters_forget(uintptr_t start, size_t size);

void __wrap_fluid_coverage_add(const struct fluid_coverage *ranges) {
    static bool registered;

    __real_fluid_coverage_add(ranges);
    KASSERT(module_count < MODULES_MAX);
    if (!registered)
        atexit(write_rest);
    registered = true;
    modules[module_count++] = *ranges;
}

void __wrap_counters_forget(uintptr_t start, size_t size) {
    write_modules(start, size);
    __real_counters_forget(start, size);
}
