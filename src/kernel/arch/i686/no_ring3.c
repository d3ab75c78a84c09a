/* no_ring3.c - nothing runs in ring 3: the compiler is a program of x86-64. */
#include "jit/compiler.h"
#include "selftest/selftest.h"

const struct selftest selftests_programs[] = {{.name = NULL}};

void compiler_find(void) {
}
