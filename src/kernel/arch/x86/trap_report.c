/* trap_report.c - an exception as a person reads it. */
#include <stddef.h>

#include "arch/x86/stacks.h"
#include "arch/x86/trap.h"
#include "console/console.h"
#include "lib/panic_report.h"
#include "lib/printf.h"
#include "load/ksyms.h"
#include "mm/paging.h"
#include "task/task.h"

static const char *const vector_names[TRAP_EXCEPTIONS] = {
    "#DE divide error",
    "#DB debug",
    "non-maskable interrupt",
    "#BP breakpoint",
    "#OF overflow",
    "#BR bound range exceeded",
    "#UD invalid opcode",
    "#NM device not available",
    "#DF double fault",
    "coprocessor segment overrun",
    "#TS invalid TSS",
    "#NP segment not present",
    "#SS stack segment fault",
    "#GP general protection",
    "#PF page fault",
    "reserved exception 15",
    "#MF x87 floating-point error",
    "#AC alignment check",
    "#MC machine check",
    "#XM SIMD floating-point error",
    "#VE virtualization",
    "#CP control protection",
    [28] = "#HV hypervisor injection",
    [29] = "#VC VMM communication",
    [30] = "#SX security",
};

#ifdef __x86_64__
/* clang-format off */
#define REGISTERS(X)                                                                               \
    X(rax) X(rbx) X(rcx) X(rdx) X(rsi) X(rdi) X(rbp) X(rsp)                                        \
    X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)
/* clang-format on */
#else
#define REGISTERS(X) X(eax) X(ebx) X(ecx) X(edx) X(esi) X(edi) X(ebp) X(esp)
#endif
#define REGISTER_DIGITS ((int)(2 * sizeof(uintptr_t)))

const char *trap_name(unsigned vector) {
    if (vector == TRAP_OVERTIME)
        return "time limit";
    if (vector >= TRAP_EXCEPTIONS)
        return "interrupt that nobody expects";
    const char *name = vector_names[vector];
    return name != NULL ? name : "reserved exception";
}

static void print_registers(const struct trap_frame *f) {
    static const char *const names[] = {
#define REGISTER_NAME(r) #r,
        REGISTERS(REGISTER_NAME)};
    const uintptr_t values[] = {
#define REGISTER_VALUE(r) f->r,
        REGISTERS(REGISTER_VALUE)};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        kprintf("  %-3s %0*zx%s", names[i], REGISTER_DIGITS, (size_t)values[i],
                i % 4 == 3 ? "\n" : "");
    kprintf("  cs %zx flags %zx", (size_t)f->cs, (size_t)FRAME_FLAGS(f));
    trap_print_state();
    kprintf("\n");
}

/* Intel SDM vol. 3A, figure 4-12. */
static void print_page_fault(const struct trap_frame *f, uintptr_t address) {
    uintptr_t code = f->error_code;
    kprintf("  %s of address %p: %s%s\n",
            code & 16  ? "execution"
            : code & 2 ? "write"
                       : "read",
            (void *)address, code & 1 ? "not permitted" : "no page there",
            code & 8 ? ", reserved bit in a page table" : "");
}

static void print_hint(uintptr_t vector, uintptr_t address) {
    for (const struct stack_guard *guard = stack_guards; guard->page != NULL; guard++)
        if (address - (uintptr_t)guard->page < PAGE_SIZE)
            kprintf("  the %s is full: address %p is in its guard page\n", guard->stack,
                    (void *)address);
    const struct task *task = task_of_guard_page(address);
    if (task != NULL)
        kprintf("  the stack of task %s is full: address %p is in its guard page\n", task->name,
                (void *)address);
    if (vector == TRAP_PAGE_FAULT && address < PAGE_SIZE)
        kprintf("  a NULL pointer, most likely\n");
}

uintptr_t trap_called_from(const struct trap_frame *f, uintptr_t address) {
    uintptr_t stack = FRAME_SP(f);
    if (f->vector != TRAP_PAGE_FAULT || address != FRAME_IP(f))
        return 0;
    return stack % sizeof(uintptr_t) == 0 && !(paging_query((const void *)stack) & PAGE_NONE)
               ? *(const uintptr_t *)stack
               : 0;
}

static bool has_address(const struct trap_frame *f) {
    return f->vector == TRAP_PAGE_FAULT || f->vector == TRAP_DOUBLE_FAULT;
}

static void print_report(const char *what, const struct trap_frame *f, uintptr_t address) {
    char symbol[96];
    ksyms_format(FRAME_IP(f), symbol, sizeof(symbol));
    kprintf("\n%s: %s, vector %u, error code 0x%zx, at %p %s\n", what,
            trap_name((unsigned)f->vector), (unsigned)f->vector, (size_t)f->error_code,
            (void *)(uintptr_t)FRAME_IP(f), symbol);
    if (f->vector == TRAP_PAGE_FAULT)
        print_page_fault(f, address);
    if (has_address(f))
        print_hint(f->vector, address);
    print_registers(f);
}

void trap_print_fault(const struct trap_fault *fault) {
    console_style(VGA_ERROR);
    print_report("module fault", &fault->frame, fault->address);
    panic_print_trace(fault->trace, fault->count, true);
    console_style(VGA_TEXT);
}

_Noreturn void trap_panic(const struct trap_frame *f) {
    uintptr_t address = trap_address();
    char text[96];
    ksnprintf(text, sizeof(text), "%s at %p, address %p", trap_name((unsigned)f->vector),
              (void *)(uintptr_t)FRAME_IP(f), (void *)address);
    panic_enter(text);
    print_report("panic", f, address);

    struct panic_report report = {
        .trap = true,
        .has_address = has_address(f),
        .vector = (unsigned)f->vector,
        .error_code = f->error_code,
        .address = address,
        .ip = FRAME_IP(f),
        .called_from = trap_called_from(f, address),
        .frame_pointer = FRAME_BP(f),
    };
    panic_finish(&report);
}
