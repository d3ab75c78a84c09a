/* ring3.c - what the processor is told about ring 3, and frames for it. */
#include "arch/x86_64/ring3.h"

#include <stddef.h>

#include "arch/x86/call_context.h"
#include "arch/x86/control.h"
#include "arch/x86/gdt.h"
#include "arch/x86/interrupts.h"
#include "arch/x86_64/core_serve.h"
#include "arch/x86_64/core_tables.h"
#include "task/ring3.h"
#include "task/task.h"

#define FLAGS_ALWAYS 2u /* bit 1 (SDM figure 3-8) */
#define STAR_KERNEL 32  /* SYSCALL: CS; SS is the descriptor behind it */

_Static_assert(offsetof(struct core, kernel_stack) == CORE_KERNEL_STACK, "used by ring3.S");
_Static_assert(offsetof(struct core, user_stack) == CORE_USER_STACK, "used by ring3.S");

void ring3_init(void) {
    write_cr4(read_cr4() & ~(uintptr_t)CR4_FSGSBASE); /* isr.S relies on GS.base */
    write_msr(MSR_KERNEL_GS_BASE, 0);
    write_msr(MSR_STAR, (uint64_t)GDT_CODE << STAR_KERNEL);
    write_msr(MSR_LSTAR, (uintptr_t)ring3_system_call);
    write_msr(MSR_SFMASK,
              EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC);
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE);
}

void ring3_use_stack(uintptr_t stack) {
    core_first()->kernel_stack = stack;
    core_tables_set_stack(stack);
}

void ring3_begin(struct trap_frame *frame, uintptr_t ip, uintptr_t stack) {
    *frame = (struct trap_frame){
        .rip = ip,
        .cs = GDT_USER_CODE,
        .rflags = FLAGS_ALWAYS | EFLAGS_IF,
        .rsp = stack,
        .ss = GDT_USER_DATA,
    };
}

void ring3_return_to(struct trap_frame *frame, const struct call_context *context) {
    frame->rax = (uintptr_t)context;
    frame->rip = (uintptr_t)call_resume;
    frame->cs = GDT_CODE;
    frame->rflags = FLAGS_ALWAYS | EFLAGS_IF;
    frame->rsp = context->stack;
    frame->ss = GDT_DATA;
}

/* SYSCALL promises nothing about RCX and R11 but that they are lost. */
void ring3_handle_call(struct trap_frame *frame) {
    interrupts_enable();
    task_current()->ring3->system_call(frame);
    interrupts_disable();
}
