/* no_compiler.c - JIT.ELF is a program for 64-bit processors: this kernel runs none. */
#include "jit/compiler.h"

void compiler_process_init(void) {
}
