/* selftest.h - the machine checks its own invariants: /selftest [NAME]. Faults are raised on
 * purpose, by name only; each ends the machine in a panic. */
#ifndef KERNEL_SELFTEST_SELFTEST_H
#define KERNEL_SELFTEST_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

struct selftest {
    const char *name;
    bool (*run)(char *why, size_t size); /* false: why holds what was expected */
};

/* A fault does not come back; when it does, the machine let something pass that it must not. */
struct selftest_fault {
    const char *name;
    void (*raise)(void);
    const char *(*lacks)(void); /* what this processor lacks for it, NULL if nothing; may be NULL */
};

/* Runs the test or fault of that name, or, for NULL, every test that any machine can pass. Prints
 * one line each; returns the number of failures, or -1 behind a list of the names when there is no
 * such test. */
int selftest_run(const char *name);

/* Each ends with an entry without a name. */
extern const struct selftest selftests_lib[], selftests_memory[], selftests_allocators[],
    selftests_machine[], selftests_tasks[], selftests_parallel[];
/* Run by name only: they take long, or need a machine for it. */
extern const struct selftest selftests_long[], selftests_disk[], selftests_programs[];
extern const struct selftest_fault selftest_faults[], selftest_memory_faults[],
    selftest_exceptions[];
/* Of ring 0 on the machine, of ring 3 in a process. */
extern const struct selftest_fault selftest_privileged[];

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ksnprintf(why, size, "line %d: expected %s", __LINE__, #condition);                    \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

#endif
