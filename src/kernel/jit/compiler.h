/* compiler.h - whoever compiles for this machine: jit.elf as a process here, or on a host at the
 * serial line. A request and its response are those of fluid/jit.h. */
#ifndef KERNEL_JIT_COMPILER_H
#define KERNEL_JIT_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#include "fluid/kapi.h"

#define COMPILER_TOOLCHAIN_SIZE 48
#define COMPILER_FILE "JIT.ELF" /* on the partition with the model, where the image has it */

struct compiler {
    const char *name; /* "jit.elf", "serial" */
    /* What tells its code from another one's, for keys of the cache: jit.elf's build ID, in hex. */
    char toolchain[COMPILER_TOOLCHAIN_SIZE];
    /* Other tasks run until there is an answer, of any content; *response (kfree) has *got bytes.
     * -1 with E-JIT-30 and others when there is none: it was killed, or had too little memory. */
    int (*compile)(const void *request, size_t size, uint8_t **response, size_t *got,
                   struct fluid_error *err);
};

/* Makes JIT.ELF the compiler, where there is one and this machine can run it (arch/). */
void compiler_process_init(void);
/* NULL: nobody compiles here. */
const struct compiler *compiler_current(void);
/* Whoever is found last compiles; NULL: nobody any more. The structure is not copied. */
void compiler_set(const struct compiler *compiler);
#endif
