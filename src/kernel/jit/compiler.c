/* compiler.c - who compiles. */
#include "jit/compiler.h"

static const struct compiler *current;

const struct compiler *compiler_current(void) {
    return current;
}

void compiler_set(const struct compiler *compiler) {
    current = compiler;
}
