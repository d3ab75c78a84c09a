/* one_core.c - the boot processor alone. */
#include "arch/x86/core.h"

static struct core only = {.self = &only, .guards = &only.own_guards};

struct core *core_current(void) {
    return &only;
}

void cores_init(void) {
}

unsigned cores_count(void) {
    return 1;
}

unsigned cores_expected(void) {
    return 1;
}

void cores_wake(void) {
}

void cores_relax(uint32_t turns) {
    (void)turns;
}

void cores_look(void) {
}

void cores_flush(void) {
}

void cores_stop_others(void) {
}

bool cores_stopping(void) {
    return false;
}

void core_handle_wake(void) {
}

void core_handle_flush(void) {
}

void core_handle_look(struct trap_frame *frame) {
    (void)frame;
}
