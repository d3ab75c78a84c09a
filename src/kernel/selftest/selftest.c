/* selftest.c - finds tests by name, runs them and reports. */
#include "selftest/selftest.h"

#include "lib/printf.h"
#include "lib/string.h"

static const struct selftest *const groups[] = {
    selftests_lib,   selftests_memory,   selftests_allocators, selftests_machine,
    selftests_tasks, selftests_parallel, selftests_long};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))
static const struct selftest_fault *const fault_groups[] = {
    selftest_faults, selftest_memory_faults, selftest_exceptions, selftest_privileged};
#define FAULT_GROUPS (sizeof(fault_groups) / sizeof(fault_groups[0]))

static int run_one(const struct selftest *test) {
    char why[160] = "";
    bool passed = test->run(why, sizeof(why));
    kprintf("selftest %-20s %s%s%s\n", test->name, passed ? "ok" : "FAILED", passed ? "" : ": ",
            passed ? "" : why);
    return !passed;
}

static int raise_fault(const struct selftest_fault *fault) {
    const char *lacks = fault->lacks ? fault->lacks() : NULL;
    if (lacks) {
        kprintf("selftest %-20s FAILED: a processor with %s expected\n", fault->name, lacks);
        return 1;
    }
    kprintf("selftest %-20s ends this machine in a panic\n", fault->name);
    fault->raise();
    kprintf("selftest %-20s FAILED: a panic expected, the fault went unnoticed\n", fault->name);
    return 1;
}

static void list_names(void) {
    kprintf("selftest: there are\n ");
    for (size_t g = 0; g < GROUPS; g++)
        for (const struct selftest *t = groups[g]; t->name != NULL; t++)
            kprintf(" %s", t->name);
    kprintf("\nand, ending in a panic,\n ");
    for (size_t g = 0; g < FAULT_GROUPS; g++)
        for (const struct selftest_fault *f = fault_groups[g]; f->name != NULL; f++)
            kprintf(" %s", f->name);
    kprintf("\n");
}

int selftest_run(const char *name) {
    int failures = 0, runs = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        for (const struct selftest *t = groups[g]; t->name != NULL; t++) {
            if (name != NULL ? strcmp(name, t->name) != 0 : groups[g] == selftests_long)
                continue;
            failures += run_one(t);
            runs++;
        }
    }
    if (name == NULL) {
        kprintf("selftest: %d of %d passed\n", runs - failures, runs);
        return failures;
    }
    for (size_t g = 0; g < FAULT_GROUPS; g++)
        for (const struct selftest_fault *f = fault_groups[g]; f->name != NULL; f++)
            if (strcmp(name, f->name) == 0)
                return raise_fault(f);
    if (runs > 0)
        return failures;
    list_names();
    return -1;
}
