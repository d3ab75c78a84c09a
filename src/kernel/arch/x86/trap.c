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
#include "task/ring3.h"
#include "task/task.h"

uintptr_t trap_address(void) {
    return read_cr2();
}

void trap_print_state(void) {
    kprintf(" cr0 %zx cr2 %zx cr3 %zx cr4 %zx", (size_t)read_cr0(), (size_t)read_cr2(),
            (size_t)read_cr3(), (size_t)read_cr4());
}

static bool from_ring3(const struct trap_frame *f) {
    return (f->cs & 3) != 0;
}

/* What code brings about by itself, ring 3's being the task's own affair. */
static bool is_of_ring3(const struct trap_frame *f) {
    return from_ring3(f) && f->vector < TRAP_EXCEPTIONS && f->vector != TRAP_NMI &&
           f->vector != TRAP_DOUBLE_FAULT && f->vector != TRAP_MACHINE_CHECK;
}

/* Of a program or a module: it has taken too long, or it is the end of the task's turn. */
static void end_turn(struct trap_frame *f) {
    static uint64_t ticks;
    const bool tick = timer_ticks() != ticks;
    ticks = timer_ticks();
    if (from_ring3(f)) {
        task_preempt_ring3();
        task_current()->ring3->interrupted(f);
    } else if (!trap_overtime(f, tick)) {
        task_preempt(FRAME_IP(f));
    }
}

void trap_handle(struct trap_frame *f) {
    if (f->vector >= IRQ_VECTOR_BASE && core_current()->index == 0)
        sample_interrupted(FRAME_IP(f), from_ring3(f) ? 0 : FRAME_BP(f));
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
    else if (f->vector == TRAP_CORE_LOOK)
        core_handle_look(f);
    else if (f->vector == TRAP_NMI && cores_stopping())
        cpu_halt();
    else if (is_of_ring3(f))
        task_current()->ring3->fault(f);
    else if (!probe_failed(f) && !trap_recover(f))
        trap_panic(f);
    if (f->vector >= IRQ_VECTOR_BASE && core_current()->index == 0)
        end_turn(f);
}
