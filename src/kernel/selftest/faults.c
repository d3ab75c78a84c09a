/* faults.c - things the machine must not let pass, done on purpose. */
#include <stdint.h>

#include "arch/x86/sections.h"
#include "arch/x86/trap.h"
#include "console/event.h"
#include "lib/panic.h"
#include "selftest/selftest.h"

#ifdef __x86_64__
#define IDT_GATE_SIZE 16
#else
#define IDT_GATE_SIZE 8
#endif
#define UNUSABLE_SELECTOR 0xfff8

/* A pointer that the compiler knows nothing about. */
static volatile uint32_t *opaque_pointer(uintptr_t address) {
    __asm__ volatile("" : "+r"(address));
    return (volatile uint32_t *)address;
}

static void divide(void) {
    uint32_t low = 1, high = 0;
    __asm__ volatile("divl %2" : "+a"(low), "+d"(high) : "r"(0) : "cc");
}

static void invalid_opcode(void) {
    __asm__ volatile("ud2");
}

static void null_read(void) {
    (void)*opaque_pointer(8);
}

static void text_write(void) {
    *opaque_pointer((uintptr_t)kernel_text_start) = 0;
}

static void rodata_write(void) {
    *opaque_pointer((uintptr_t)kernel_rodata_start) = 0;
}

static void execute_data(void) {
    static uint8_t code[] = {0xc3}; /* ret */
    void (*entry)(void) = (void (*)(void))(uintptr_t)opaque_pointer((uintptr_t)code);
    entry();
}

static void general_protection(void) {
    __asm__ volatile("movw %w0, %%fs" : : "r"(UNUSABLE_SELECTOR));
}

__attribute__((noinline)) static uint32_t descend(uint32_t depth) {
    volatile uint8_t frame[512];
    frame[depth % sizeof(frame)] = (uint8_t)depth;
    if (*opaque_pointer((uintptr_t)&depth) == UINT32_MAX)
        return 0;
    return descend(depth + 1) + frame[depth % sizeof(frame)];
}

static void stack_overflow(void) {
    descend(0);
}

/* With an IDT that ends behind the double fault, a software interrupt cannot be delivered, nor can
 * the general protection fault about it. */
static void double_fault(void) {
    struct __attribute__((packed)) {
        uint16_t limit;
        uintptr_t base;
    } pointer;
    __asm__ volatile("sidt %0" : "=m"(pointer));
    pointer.limit = (TRAP_DOUBLE_FAULT + 1) * IDT_GATE_SIZE - 1;
    __asm__ volatile("lidt %0\n\tint $0x2f" : : "m"(pointer));
}

/* More than there is, as a loop with a wrong bound writes it. */
__attribute__((noinline)) static void overrun(volatile char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        text[i] = 'x';
}

static void stack_smash(void) {
    char text[32];
    overrun(text, sizeof(text) + 2 * sizeof(uintptr_t));
    (void)*opaque_pointer((uintptr_t)text);
}

/* Only check=undefined has a trap for it. */
static void undefined_behaviour(void) {
    volatile int most = INT32_MAX;
    most = most + 1;
}

static void software_panic(void) {
    panic("asked for by /selftest, answer %d", 42);
}

/* The half-written event must not swallow the one about the panic. */
static void panic_in_event(void) {
    event_begin("warn");
    event_string("text", "is never finished");
    panic("asked for by /selftest, in the middle of an event");
}

/* A fault while the report of another is on its way. */
static void nested_panic(void) {
    panic("%s", (const char *)(uintptr_t)opaque_pointer(16));
}

const struct selftest_fault selftest_faults[] = {
    {"fault-divide", divide, NULL},
    {"fault-ud", invalid_opcode, NULL},
    {"fault-page-null", null_read, NULL},
    {"fault-stack-overflow", stack_overflow, NULL},
    {"fault-nx", execute_data, NULL},
    {"fault-rodata-write", rodata_write, NULL},
    {"fault-text-write", text_write, NULL},
    {"fault-double", double_fault, NULL},
    {"fault-gp", general_protection, NULL},
    {"fault-stack-smash", stack_smash, NULL},
    {"fault-undefined", undefined_behaviour, NULL},
    {"panic", software_panic, NULL},
    {"panic-event", panic_in_event, NULL},
    {"panic-nested", nested_panic, NULL},
    {.name = NULL},
};
