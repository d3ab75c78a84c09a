/* sample.c - a module with every kind of section and relocation; test_module_loader.py calls it. */
#include "fluid/kapi.h"
#include "fluid/module.h"
#include "sample/sample.h"

static int zeroed[5000];                             /* .bss, larger than a page */
static int counter = 40;                             /* .data */
static const char *names[] = {"zero", "one", "two"}; /* .data with ABS64 to strings */
static const int squares[] = {0, 1, 4, 9, 16, 25, 36, 49};
__attribute__((aligned(4096))) static char aligned_page[16] = "aligned";

__attribute__((noinline, section(".text.cold"))) static int in_another_section(int x) {
    return x + counter;
}

#ifdef WITH_INITIALISER
static volatile int initialised;

__attribute__((constructor(200))) static void late(void) {
    initialised = initialised * 10 + 2;
}

__attribute__((constructor(101))) static void early(void) {
    initialised = initialised * 10 + 1;
}

FLUID_EXPORT int sample_initialised(void) {
    return initialised;
}
#endif

FLUID_EXPORT int sample_bss(int add) {
    int sum = 0;
    for (unsigned i = 0; i < sizeof zeroed / sizeof zeroed[0]; i++)
        sum += zeroed[i] += add;
    return sum;
}

FLUID_EXPORT int sample_data(int add) {
    return counter += add;
}

FLUID_EXPORT const char *sample_name(unsigned i) {
    return names[i % 3];
}

FLUID_EXPORT int sample_square(unsigned i) {
    return squares[i % 8];
}

FLUID_EXPORT int sample_cold(int x) {
    return in_another_section(x);
}

FLUID_EXPORT int sample_other(int x) {
    return other_pick(x)(x) + other_value;
}

FLUID_EXPORT const char *sample_page(void) {
    return aligned_page;
}

FLUID_EXPORT int sample_import(struct fluid_error *err) {
    char *memory = fluid_alloc(64, 16);
    int zero = memory ? memory[63] : -1;
    fluid_free(memory);
    return fluid_fail(err, "E-TEST-01", "number %d", 42 + zero);
}

FLUID_EXPORT uint64_t sample_divide(uint64_t a, uint64_t b) {
    return a / b;
}
