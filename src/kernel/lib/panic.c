/* panic.c - the end of a machine whose invariants broke: a report for people, one event, exit code.
 * It uses no heap, and survives faulting itself: the second fault prints one line and leaves. */
#include "lib/panic.h"

#include "arch/x86/backtrace.h"
#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/interrupts.h"
#include "console/console.h"
#include "console/event.h"
#include "dev/serial.h"
#include "fluid/exit.h"
#include "lib/panic_report.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/guard.h"
#include "load/ksyms.h"

#define SYMBOL_SIZE 96

/* What is still safe to say when the report itself has failed. */
#define NESTED_EVENT                                                                               \
    "\x1e{\"ev\":\"panic\",\"vector\":null,\"error_code\":null,\"ip\":0,\"address\":null,"         \
    "\"backtrace\":[]}\n"

static volatile unsigned depth;

static void write_raw(const char *text) {
    serial_write(text, strlen(text));
}

void panic_enter(const char *what) {
    interrupts_disable();
    cores_stop_others();
    module_guard_abandon();
    switch (depth++) {
    case 0:
        event_abandon();
        console_style(VGA_ERROR);
        return;
    case 1:
        write_raw("\r\npanic while reporting a panic: ");
        write_raw(what);
        write_raw("\r\n");
        if (event_enabled)
            write_raw(NESTED_EVENT);
        break;
    default:
        break;
    }
    cpu_power_off(FLUID_EXIT_PANIC);
}

static void name_of(const uintptr_t *trace, size_t i, bool trap, char symbol[SYMBOL_SIZE]) {
    if (trap && i == 0)
        ksyms_format(trace[i], symbol, SYMBOL_SIZE);
    else
        ksyms_format_caller(trace[i], symbol, SYMBOL_SIZE);
}

static void emit_event(const struct panic_report *r, const uintptr_t *trace, size_t n) {
    char symbol[SYMBOL_SIZE];
    event_begin("panic");
    if (r->trap) {
        event_u64("vector", r->vector);
        event_u64("error_code", r->error_code);
    } else {
        event_null("vector");
        event_null("error_code");
    }
    event_u64("ip", r->ip);
    if (r->has_address)
        event_u64("address", r->address);
    else
        event_null("address");
    event_array_begin("backtrace");
    for (size_t i = 0; i < n; i++) {
        name_of(trace, i, r->trap, symbol);
        event_string(NULL, symbol);
    }
    event_array_end();
    event_end();
}

void panic_print_trace(const uintptr_t *trace, size_t n, bool trap) {
    char symbol[SYMBOL_SIZE];
    kprintf("backtrace:\n");
    for (size_t i = 0; i < n; i++) {
        name_of(trace, i, trap, symbol);
        kprintf("  %p %s\n", (void *)trace[i], symbol);
    }
}

_Noreturn void panic_finish(const struct panic_report *r) {
    uintptr_t trace[BACKTRACE_MAX];
    size_t n = backtrace(r->ip, r->called_from, r->frame_pointer, trace);
    panic_print_trace(trace, n, r->trap);
    emit_event(r, trace, n);
    cpu_power_off(FLUID_EXIT_PANIC);
}

_Noreturn void vpanic(const char *format, va_list args) {
    struct panic_report report = {
        .ip = (uintptr_t)__builtin_return_address(0),
        .frame_pointer = (uintptr_t)__builtin_frame_address(0),
    };
    panic_enter(format); /* not yet formatted: an argument may be what is broken */
    kprintf("\npanic: ");
    kvprintf(format, args);
    kprintf("\n");
    /* The first return address is already in ip. */
    report.frame_pointer = backtrace_parent(report.frame_pointer);
    panic_finish(&report);
}

_Noreturn void panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vpanic(format, args);
}
