/* process.h - a static Linux program in ring 3, as a task: it reads its input from descriptor 0,
 * writes its output to 1, and ends. It sees no file, no device and no other process.
 * docs/jit.md has the system calls. */
#ifndef KERNEL_ABI_LINUX_PROCESS_H
#define KERNEL_ABI_LINUX_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "fluid/kapi.h"

struct linux_limits {
    uint64_t memory; /* bytes of address space (RLIMIT_AS), and of pages of its own */
    uint64_t cpu_ns; /* CPU time (RLIMIT_CPU, the hard one) */
    size_t output;   /* bytes */
};

enum linux_end {
    LINUX_EXITED,        /* number: the exit status */
    LINUX_SIGNALLED,     /* number: of the signal that it sent itself: 6 is abort() */
    LINUX_FAULTED,       /* number: the exception's vector; address, ip */
    LINUX_OUT_OF_TIME,   /* it is stopped wherever it is */
    LINUX_OUT_OF_MEMORY, /* the machine has no page for it, or it has all that it may */
    LINUX_TOO_MUCH,      /* more output than it may have, or the kernel has no memory for it */
};

#define LINUX_SAID_SIZE 120

struct linux_result {
    enum linux_end end;
    unsigned number;
    uintptr_t address, ip;
    uint64_t cpu_ns;
    uint64_t memory;            /* bytes of pages of its own at most, page tables included */
    unsigned unknown_calls;     /* system calls that do not exist here */
    char said[LINUX_SAID_SIZE]; /* the first bytes that it wrote to descriptor 2 */
};

/* Runs the program `elf`, of size bytes in whole pages, until it has ended; other tasks run. Its
 * read-only pages are the file's: page-aligned, zeros behind its end. *output (kfree) has what it
 * wrote to descriptor 1; NULL when that was nothing. -1 when it could not begin: E-ELF-01,
 * E-ELF-02, E-ELF-03 (no memory), E-TASK-01. */
int linux_run(const char *name, const void *elf, size_t size, const void *input, size_t input_size,
              uint8_t **output, size_t *output_size, const struct linux_limits *limits,
              struct linux_result *result, struct fluid_error *err);
/* How it ended, as words: "exit status 3", "#PF page fault at ...". */
void linux_end_format(const struct linux_result *result, char *text, size_t size);
#endif
