/* no_ring3.c - nothing runs in ring 3. */
#include "selftest/selftest.h"

const struct selftest selftests_programs[] = {{.name = NULL}};
