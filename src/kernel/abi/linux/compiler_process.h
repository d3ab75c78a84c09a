/* compiler_process.h - for self-tests: what a compilation by JIT.ELF has taken. */
#ifndef KERNEL_ABI_LINUX_COMPILER_PROCESS_H
#define KERNEL_ABI_LINUX_COMPILER_PROCESS_H

#include "abi/linux/process.h"

/* How the last one ended; all zero when there was none. */
const struct linux_result *compiler_process_last(void);
#endif
