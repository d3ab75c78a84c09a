/* process.c - a program as a task: its beginning, what becomes of its faults, its end.
 *
 * Its task goes to ring 3 and comes back through process->context, whose frames lie above the stack
 * that exceptions and system calls of the program use. */
#include "abi/linux/process_internal.h"

#include "arch/x86/clock.h"
#include "arch/x86/control.h"
#include "arch/x86/interrupts.h"
#include "arch/x86/time.h"
#include "arch/x86_64/ring3.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pages.h"
#include "task/ring3.h"

#define ERROR_WRITE 2u /* page fault's error code (SDM figure 4-12) */
#define ERROR_FETCH 16u
#define RED_ZONE 128u
#define STACK_ALIGN 16u

struct process *process_current(void) {
    return task_current()->argument;
}

uint64_t process_cpu_ns(void) {
    uint64_t cycles = task_cycles(task_current()), hz = time_hz();
    return cycles / hz * CLOCK_NS_PER_S + cycles % hz * CLOCK_NS_PER_S / hz;
}

static void note_end(struct process *p, enum linux_end end, unsigned number) {
    p->result->end = end;
    p->result->number = number;
}

_Noreturn void process_end(struct process *p, enum linux_end end, unsigned number) {
    note_end(p, end, number);
    call_leave(&p->context);
}

/* ---- what interrupts ring 3 */

static void end_from(struct trap_frame *f, enum linux_end end, unsigned number) {
    struct process *p = process_current();
    note_end(p, end, number);
    p->result->ip = f->rip;
    ring3_return_to(f, &p->context);
}

static void fault(struct trap_frame *f) {
    struct process *p = process_current();
    uintptr_t address = f->vector == TRAP_PAGE_FAULT ? trap_address() : 0;
    enum space_result result = SPACE_FORBIDDEN;
    if (f->vector == TRAP_PAGE_FAULT)
        result = space_touch(&p->space, address,
                             f->error_code & ERROR_FETCH   ? PAGE_X
                             : f->error_code & ERROR_WRITE ? PAGE_W
                                                           : PAGE_R,
                             NULL);
    if (result == SPACE_OK)
        return;
    p->result->address = address;
    if (result == SPACE_NO_MEMORY)
        end_from(f, LINUX_OUT_OF_MEMORY, 0);
    else
        end_from(f, LINUX_FAULTED, (unsigned)f->vector);
}

/* The handler of SIGXCPU begins as Linux has it (asm/sigcontext.h), but that it cannot return: it
 * is to answer and exit. False: it has no stack. */
static bool enter_handler(struct process *p, struct trap_frame *f) {
    uint64_t stack = ((f->rsp - RED_ZONE) & ~(uint64_t)(STACK_ALIGN - 1)) - sizeof(uint64_t);
    if (space_write(&p->space, stack, &p->on_xcpu.restorer, sizeof(uint64_t)) != SPACE_OK)
        return false;
    f->rsp = stack;
    f->rip = p->on_xcpu.handler;
    f->rdi = LINUX_SIGXCPU;
    f->rsi = f->rdx = f->rax = 0;
    f->rflags &= ~(uint64_t)(EFLAGS_DF | EFLAGS_TF);
    return true;
}

/* At the end of an interrupt, or of a system call. */
static bool is_out_of_time(struct process *p, struct trap_frame *f) {
    uint64_t used = process_cpu_ns();
    if (used >= p->cpu_hard_ns)
        return true;
    if (used < p->cpu_soft_ns)
        return false;
    p->cpu_soft_ns = LINUX_UNLIMITED;
    return p->on_xcpu.handler == 0 || !enter_handler(p, f);
}

static void interrupted(struct trap_frame *f) {
    if (is_out_of_time(process_current(), f))
        end_from(f, LINUX_OUT_OF_TIME, 0);
}

static void system_call(struct trap_frame *f) {
    struct process *p = process_current();
    process_system_call(f);
    task_preemption_point();
    if (is_out_of_time(p, f)) {
        p->result->ip = f->rip;
        process_end(p, LINUX_OUT_OF_TIME, 0);
    }
}

/* ---- its task */

static void arrive(struct task *task) {
    struct process *p = task->argument;
    paging_share(p->space.root);
    ring3_use_stack(p->kernel_stack);
    write_msr(MSR_FS_BASE, p->fs_base);
    write_cr3((uintptr_t)p->space.root);
}

static void leave(struct task *task) {
    (void)task;
    write_cr3((uintptr_t)paging_root());
}

static const struct ring3 ring3 = {arrive, leave, fault, interrupted, system_call};

static void run(void *argument) {
    struct process *p = argument;
    struct task *self = task_current();
    if (call_save(&p->context) == 0) {
        interrupts_disable();
        self->ring3 = &ring3;
        arrive(self);
        ring3_enter(&p->begin, &p->kernel_stack);
    }
    interrupts_disable();
    leave(self);
    self->ring3 = NULL;
    p->result->cpu_ns = process_cpu_ns();
    p->over = true;
    wait_queue_wake(&p->ended);
    interrupts_enable();
}

static int run_task(struct process *p, struct fluid_error *err) {
    if (task_create(p->name, TASK_BACKGROUND_PRIORITY, run, p, err) == NULL)
        return -1;
    uintptr_t flags = interrupts_hold();
    while (!p->over)
        wait_queue_wait(&p->ended);
    interrupts_release(flags);
    return 0;
}

static int run_loaded(struct process *p, const void *elf, size_t size, struct fluid_error *err) {
    static bool ready;
    if (!ready)
        ring3_init();
    ready = true;
    if (!space_create(&p->space, p->limits.memory / PAGE_SIZE))
        return fluid_fail(err, "E-ELF-03",
                          "memory for a program's page tables expected, not available; give the "
                          "machine more");
    if (process_load(p, elf, size, err) < 0)
        return -1;
    return run_task(p, err);
}

int linux_run(const char *name, const void *elf, size_t size, const void *input, size_t input_size,
              uint8_t **output, size_t *output_size, const struct linux_limits *limits,
              struct linux_result *result, struct fluid_error *err) {
    struct process *p = kzalloc(sizeof(*p));
    memset(result, 0, sizeof(*result));
    *output = NULL;
    *output_size = 0;
    if (p == NULL)
        return fluid_fail(err, "E-ELF-03", "memory for a program expected, not available");
    p->name = name;
    p->limits = *limits;
    p->result = result;
    p->cpu_soft_ns = LINUX_UNLIMITED;
    p->cpu_hard_ns = limits->cpu_ns;
    p->memory_limit = limits->memory;
    p->input = input;
    p->input_size = input_size;
    int status = run_loaded(p, elf, size, err);
    result->memory = (uint64_t)p->space.pages_peak * PAGE_SIZE;
    space_destroy(&p->space);
    if (status == 0) {
        *output = p->output;
        *output_size = p->output_size;
    }
    kfree(p);
    return status;
}

void linux_end_format(const struct linux_result *r, char *text, size_t size) {
    static const char *const words[] = {
        [LINUX_OUT_OF_TIME] = "CPU time limit",
        [LINUX_OUT_OF_MEMORY] = "no memory left",
        [LINUX_TOO_MUCH] = "too much output",
    };
    if (r->end == LINUX_EXITED)
        ksnprintf(text, size, "exit status %u", r->number);
    else if (r->end == LINUX_SIGNALLED)
        ksnprintf(text, size, "signal %u", r->number);
    else if (r->end == LINUX_FAULTED)
        ksnprintf(text, size, "%s, address 0x%zx, at 0x%zx", trap_name(r->number), r->address,
                  r->ip);
    else
        ksnprintf(text, size, "%s", words[r->end]);
}
