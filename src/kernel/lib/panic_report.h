/* panic_report.h - what a panic tells after its first lines; between panic.c and arch/x86/trap.c.
 */
#ifndef KERNEL_LIB_PANIC_REPORT_H
#define KERNEL_LIB_PANIC_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct panic_report {
    bool trap;        /* vector and error_code are valid */
    bool has_address; /* address is valid */
    unsigned vector;
    uint64_t error_code, address;
    uintptr_t ip;
    uintptr_t called_from; /* return address that is in no frame; 0: none */
    uintptr_t frame_pointer;
};

/* Interrupts off, one report only: a fault while reporting prints what (one line) on the serial
 * port and ends the machine. */
void panic_enter(const char *what);
/* A backtrace for people, with names. After a trap the first address is an instruction's; the
 * others are return addresses. */
void panic_print_trace(const uintptr_t *trace, size_t n, bool trap);
/* Backtrace, panic event, exit. */
_Noreturn void panic_finish(const struct panic_report *report);

#endif
