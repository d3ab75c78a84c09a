/* trap.c - where every interrupt arrives: IRQs go to their handlers, exceptions end in a report. */
#include "arch/x86/trap.h"

#include <stddef.h>

#include "arch/x86/control.h"
#include "arch/x86/core.h"
#include "arch/x86/cpu.h"
#include "arch/x86/irq.h"
#include "arch/x86/lapic.h"
#include "arch/x86/probe.h"
#include "arch/x86/timer.h"
#include "lib/printf.h"
#include "prof/sample.h"
#include "task/task.h"

uintptr_t trap_address(void) {
    return read_cr2();
}

void trap_print_state(void) {
    kprintf(" cr0 %zx cr2 %zx cr3 %zx cr4 %zx", (size_t)read_cr0(), (size_t)read_cr2(),
            (size_t)read_cr3(), (size_t)read_cr4());
}

/* Of a module's code: a call that has taken too long, or the task's turn. */
static void end_turn(struct trap_frame *f) {
    if (!trap_overtime(f))
        task_preempt(FRAME_IP(f));
}

void trap_handle(struct trap_frame *f) {
    if (f->vector >= IRQ_VECTOR_BASE && core_current()->index == 0)
        sample_interrupted(FRAME_IP(f), FRAME_BP(f));
    if (f->vector >= IRQ_VECTOR_BASE && f->vector < IRQ_VECTOR_BASE + IRQ_COUNT)
        irq_handle((unsigned)f->vector - IRQ_VECTOR_BASE);
    else if (f->vector == TRAP_LAPIC_TIMER)
        lapic_timer_handle();
    else if (f->vector == TRAP_LAPIC_SPURIOUS)
        lapic_handle_spurious();
    else if (f->vector == TRAP_LAPIC_ERROR)
        lapic_handle_error();
    else if (f->vector == TRAP_CORE_WAKE)
        core_handle_wake();
    else if (f->vector == TRAP_CORE_FLUSH)
        core_handle_flush();
    else if (f->vector == TRAP_NMI && cores_stopping())
        cpu_halt();
    else if (!probe_failed(f) && !trap_recover(f))
        trap_panic(f);
    if (f->vector >= IRQ_VECTOR_BASE && core_current()->index == 0)
        end_turn(f);
}
