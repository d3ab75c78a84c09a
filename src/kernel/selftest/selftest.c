/* selftest.c - finds tests by name, runs them and reports. */
#include "selftest/selftest.h"

#include "lib/printf.h"
#include "lib/string.h"

static const struct selftest *const groups[] = {selftests_lib,        selftests_memory,
                                                selftests_allocators, selftests_machine,
                                                selftests_tasks,      selftests_parallel};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))
static const struct selftest *const named_groups[] = {selftests_long, selftests_disk,
                                                      selftests_programs};
#define NAMED_GROUPS (sizeof(named_groups) / sizeof(named_groups[0]))
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

static void list_group(const struct selftest *tests) {
    for (; tests->name != NULL; tests++)
        kprintf(" %s", tests->name);
}

static void list_names(void) {
    kprintf("selftest: there are\n ");
    for (size_t g = 0; g < GROUPS; g++)
        list_group(groups[g]);
    kprintf("\nby name only,\n ");
    for (size_t g = 0; g < NAMED_GROUPS; g++)
        list_group(named_groups[g]);
    kprintf("\nand, ending in a panic,\n ");
    for (size_t g = 0; g < FAULT_GROUPS; g++)
        for (const struct selftest_fault *f = fault_groups[g]; f->name != NULL; f++)
            kprintf(" %s", f->name);
    kprintf("\n");
}

static int run_all(void) {
    int failures = 0, runs = 0;
    for (size_t g = 0; g < GROUPS; g++)
        for (const struct selftest *t = groups[g]; t->name != NULL; t++, runs++)
            failures += run_one(t);
    kprintf("selftest: %d of %d passed\n", runs - failures, runs);
    return failures;
}

static const struct selftest *find(const struct selftest *const *from, size_t count,
                                   const char *name) {
    for (size_t g = 0; g < count; g++)
        for (const struct selftest *t = from[g]; t->name != NULL; t++)
            if (strcmp(name, t->name) == 0)
                return t;
    return NULL;
}

int selftest_run(const char *name) {
    if (name == NULL)
        return run_all();
    const struct selftest *test = find(groups, GROUPS, name);
    if (test == NULL)
        test = find(named_groups, NAMED_GROUPS, name);
    if (test != NULL)
        return run_one(test);
    for (size_t g = 0; g < FAULT_GROUPS; g++)
        for (const struct selftest_fault *f = fault_groups[g]; f->name != NULL; f++)
            if (strcmp(name, f->name) == 0)
                return raise_fault(f);
    list_names();
    return -1;
}
