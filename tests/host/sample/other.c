/* other.c - second source of the sample module: calls and data across objects, code pointers. */
#include "sample/sample.h"

int other_value = 1000;

static int twice(int x) {
    return 2 * x;
}

static int negate(int x) {
    return -x;
}

static other_fn *const table[] = {twice, negate};

other_fn *other_pick(int which) {
    return table[which & 1];
}
