/* fault.c - exceptions reach a process as signals. Linux passes on vector, error code and faulting
 * address of the processor (signal(7), arch/x86/include/uapi/asm/sigcontext.h), so the report is
 * that of the bare machine. */
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <x86intrin.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/control.h"
#include "arch/x86/gdt.h"
#include "arch/x86/sections.h"
#include "arch/x86/stacks.h"
#include "arch/x86/trap.h"
#include "arch/x86_64/core_serve.h"
#include "lib/panic.h"
#include "lib/printf.h"

static const int signals[] = {SIGSEGV, SIGBUS,           SIGILL,         SIGFPE,
                              SIGTRAP, CORE_STOP_SIGNAL, WATCHDOG_SIGNAL};

/* Linux keeps the alternate stack apart by itself. */
const struct stack_guard stack_guards[] = {{"kernel stack", kernel_stack_guard}, {NULL, NULL}};

static _Thread_local volatile uintptr_t address;
static _Thread_local volatile int last_signal;

uintptr_t trap_address(void) {
    return address;
}

void trap_print_state(void) {
    kprintf(" signal %d (%s)", last_signal, strsignal(last_signal));
}

static struct trap_frame frame_of(const ucontext_t *context) {
    const greg_t *r = context->uc_mcontext.gregs;
    struct trap_frame f = {
        .vector = (uintptr_t)r[REG_TRAPNO],
        .error_code = (uintptr_t)r[REG_ERR],
    };
#ifdef __x86_64__
#define COPY(to, from) f.to = (uintptr_t)r[REG_##from]
    COPY(r15, R15), COPY(r14, R14), COPY(r13, R13), COPY(r12, R12), COPY(r11, R11);
    COPY(r10, R10), COPY(r9, R9), COPY(r8, R8), COPY(rdi, RDI), COPY(rsi, RSI), COPY(rbp, RBP);
    COPY(rdx, RDX), COPY(rcx, RCX), COPY(rbx, RBX), COPY(rax, RAX);
    COPY(rip, RIP), COPY(rflags, EFL), COPY(rsp, RSP);
    f.cs = (uintptr_t)r[REG_CSGSFS] & 0xffff;
    address = (uintptr_t)r[REG_CR2];
#else
#define COPY(to, from) f.to = (uintptr_t)r[REG_##from]
    COPY(edi, EDI), COPY(esi, ESI), COPY(ebp, EBP), COPY(esp, ESP), COPY(ebx, EBX);
    COPY(edx, EDX), COPY(ecx, ECX), COPY(eax, EAX), COPY(eip, EIP), COPY(cs, CS), COPY(eflags, EFL);
    address = context->uc_mcontext.cr2;
#endif
    return f;
}

/* What trap_recover changes. */
static void return_to(ucontext_t *context, const struct trap_frame *f) {
    greg_t *r = context->uc_mcontext.gregs;
#ifdef __x86_64__
    r[REG_RIP] = (greg_t)f->rip, r[REG_RSP] = (greg_t)f->rsp, r[REG_RAX] = (greg_t)f->rax;
    r[REG_EFL] = (greg_t)f->rflags;
#else
    r[REG_EIP] = (greg_t)f->eip, r[REG_ESP] = (greg_t)f->esp, r[REG_EAX] = (greg_t)f->eax;
    r[REG_EFL] = (greg_t)f->eflags;
#endif
}

/* Apart from handle, whose frame a sanitizer must not begin with more before AC is clear. */
__attribute__((noinline)) static void look_at_time(ucontext_t *context) {
    struct trap_frame late = frame_of(context);
    if (trap_overtime(&late, true))
        return_to(context, &late);
}

static void handle(int number, siginfo_t *info, void *context) {
    /* Linux leaves it set; unlike ring 0, the report would be checked for alignment, too. */
    __writeeflags(__readeflags() & ~(uintptr_t)EFLAGS_AC);
    if (number == CORE_STOP_SIGNAL && cores_stopping())
        core_end();
    if (number == WATCHDOG_SIGNAL) {
        look_at_time(context);
        return;
    }
    if (info->si_code <= 0) { /* sent by a process, no exception: what kill(1) is for */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    struct trap_frame frame = frame_of(context);
    last_signal = number;
    if (!trap_recover(&frame))
        trap_panic(&frame);
    return_to(context, &frame);
}

void fault_use_stack(char *stack) {
    stack_t alternate = {.ss_sp = stack, .ss_size = SIGNAL_STACK_SIZE};
    if (sigaltstack(&alternate, NULL) != 0)
        panic("sigaltstack: a stack for signals expected, refused");
}

void gdt_init(void) {
    static char stack[SIGNAL_STACK_SIZE] __attribute__((aligned(16)));
    fault_use_stack(stack);
}

void idt_init(void) {
    /* SA_NODEFER: a fault in the report arrives as well, and panic.c ends that. */
    struct sigaction action = {.sa_sigaction = handle,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            panic("sigaction: a handler for signal %d expected, refused", signals[i]);
}
