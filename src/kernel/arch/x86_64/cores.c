/* cores.c (x86_64) - the other processors that the firmware's tables list: how they are started,
 * one by one (Intel SDM vol. 3A, 8.4), how they sleep, and the interrupts that they send each
 * other.
 */
#include "arch/x86_64/core_tables.h"

#include <stddef.h>

#include "arch/x86/control.h"
#include "arch/x86/cpu.h"
#include "arch/x86/gdt.h"
#include "arch/x86/lapic.h"
#include "arch/x86/port.h"
#include "arch/x86/stacks.h"
#include "arch/x86/time.h"
#include "arch/x86/trap.h"
#include "arch/x86_64/core_entry.h"
#include "arch/x86_64/core_serve.h"
#include "console/event.h"
#include "dev/acpi_memory.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/parallel.h"
#include "task/stack.h"

#define LEAF_TOPOLOGY 0xb
#define LEVEL_CORE 1
#define CPUID_1_EDX_HTT (1u << 28)
#define STACK_SIZE 0x8000u
#define INIT_US 10000u /* between INIT and SIPI */
#define SIPI_US 200u   /* between the two SIPIs */
#define SPIN_US 200u   /* core_serve.h */
#define START_US                                                                                   \
    1000000u /* until a core is given up: an emulator's may have to wait for its turn */
#define APIC_ID_MAX 0xfeu /* xAPIC; 0xff is all of them */

/* What the boot processor has prepared for another. */
struct started {
    struct core core;
    struct core_tables tables;
    uint8_t *stacks[IST_END]; /* [0] its own, the others as in the interrupt stack table */
};

static struct started *starting; /* one at a time */
static uintptr_t page_tables;
static volatile uint32_t flush_wanted;

uint8_t *volatile core_stack_top;

struct core *core_current(void) {
    struct core *core;
    __asm__("movq %%gs:%c1, %0" : "=r"(core) : "i"(offsetof(struct core, self)));
    return core;
}

/* SDM vol. 2A, CPUID: leaf 0xB counts; leaf 1 only tells how many numbers are set aside. */
unsigned cores_expected(void) {
    struct cpuid basic = cpuid(1, 0), topology = cpuid(LEAF_TOPOLOGY, LEVEL_CORE);
    unsigned counted = topology.ebx & 0xffff, numbers = basic.ebx >> 16 & 0xff;
    if (counted > 0)
        return counted;
    return basic.edx & CPUID_1_EDX_HTT && numbers > 0 ? numbers : 1;
}

/* ---- another core */

unsigned core_spin_us(void) {
    return SPIN_US;
}

void core_park(struct core *core) {
    __asm__ volatile("cli" : : : "memory");
    __atomic_store_n(&core->parked, 1, __ATOMIC_SEQ_CST);
    /* A loop that is published from here on sends an interrupt, which ends the hlt. */
    if (parallel_waits())
        __asm__ volatile("sti" : : : "memory");
    else
        __asm__ volatile("sti\n\thlt" : : : "memory");
    __atomic_store_n(&core->parked, 0, __ATOMIC_RELAXED);
}

_Noreturn void core_main(void) {
    struct core *core = &starting->core;
    if (cpu_info()->nx)
        write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE); /* the tables have NX bits */
    write_cr3(page_tables);
    core_tables_load(&starting->tables, core);
    idt_load();
    cpu_init_core();
    lapic_init_core();
    core_joins(core); /* the boot processor goes on */
    __asm__ volatile("sti" : : : "memory");
    core_serve(core);
}

/* ---- starting one */

static size_t stack_size(unsigned which) {
    return which == 0 ? STACK_SIZE : EXCEPTION_STACK_SIZE;
}

static void discard(struct started *s) {
    for (unsigned i = 0; s != NULL && i < IST_END; i++)
        if (s->stacks[i] != NULL)
            stack_free(s->stacks[i], stack_size(i));
    kfree(s);
}

/* False: no memory. */
static bool prepare(uint32_t apic_id) {
    struct started *s = kzalloc_aligned(sizeof(*s), _Alignof(struct started));
    if (s == NULL)
        return false;
    for (unsigned i = 0; i < IST_END; i++) {
        s->stacks[i] = stack_allocate(stack_size(i));
        if (s->stacks[i] == NULL) {
            discard(s);
            return false;
        }
        if (i > 0)
            s->tables.tss.ist[i - 1] = (uintptr_t)s->stacks[i] + stack_size(i);
    }
    s->core.self = &s->core;
    s->core.index = cores_count();
    s->core.apic_id = apic_id;
    s->core.guards = &s->core.own_guards;
    s->core.flushed = flush_wanted;
    starting = s;
    core_stack_top = s->stacks[0] + STACK_SIZE;
    return true;
}

static bool comes_up(unsigned index, uint32_t us) {
    for (uint32_t waited = 0; cores_count() == index && waited < us; waited += SIPI_US)
        time_delay_us(SIPI_US);
    return cores_count() > index;
}

static bool start(uint32_t apic_id) {
    unsigned index = cores_count();
    if (!prepare(apic_id))
        return false;
    lapic_send(apic_id, LAPIC_INIT);
    time_delay_us(INIT_US);
    lapic_send(apic_id, LAPIC_STARTUP(CORE_TRAMPOLINE));
    if (comes_up(index, SIPI_US))
        return true;
    lapic_send(apic_id, LAPIC_STARTUP(CORE_TRAMPOLINE));
    if (comes_up(index, START_US))
        return true;
    /* It must not come later, on what is another's then, nor count if it has come just now. */
    lapic_send(apic_id, LAPIC_INIT);
    time_delay_us(INIT_US);
    cores_count_back(index);
    discard(starting);
    return false;
}

static void warn(uint32_t apic_id) {
    struct fluid_error e = {.code = "E-CORE-01"};
    ksnprintf(e.text, sizeof(e.text),
              "processor with APIC id %u: expected to start, did not; the system runs without it",
              apic_id);
    report_warn(&e);
}

void cores_init(void) {
    struct acpi_table table;
    struct fluid_error err;
    struct madt madt;
    if (!lapic_in_use() || acpi_table("APIC", &table) != 0 || madt_parse(&madt, &table, &err) != 0)
        return;
    core_first()->apic_id = lapic_id();
    page_tables = read_cr3();
    memcpy((void *)CORE_TRAMPOLINE, core_trampoline,
           (size_t)(core_trampoline_end - core_trampoline));
    for (unsigned i = 0; i < madt.processors && i < MADT_PROCESSORS_MAX; i++) {
        uint32_t id = madt.apic_id[i];
        if (id == core_first()->apic_id || id > APIC_ID_MAX || cores_count() == CORES_MAX)
            continue;
        if (!start(id))
            warn(id);
    }
}

/* ---- interrupts between cores */

void core_wake(struct core *core) {
    lapic_send(core->apic_id, LAPIC_FIXED(TRAP_CORE_WAKE));
}

void cores_relax(uint32_t turns) {
    (void)turns;
    cpu_pause();
}

void core_handle_wake(void) {
    lapic_end(); /* it has ended the hlt */
}

void cores_flush(void) {
    if (cores_count() == 1)
        return;
    uint32_t wanted = __atomic_add_fetch(&flush_wanted, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 1; i < cores_count(); i++)
        lapic_send(core_at(i)->apic_id, LAPIC_FIXED(TRAP_CORE_FLUSH));
    for (unsigned i = 1; i < cores_count(); i++)
        while (__atomic_load_n(&core_at(i)->flushed, __ATOMIC_ACQUIRE) != wanted)
            cpu_pause();
}

void core_handle_flush(void) {
    uint32_t wanted = flush_wanted;
    write_cr3(read_cr3());
    __atomic_store_n(&core_current()->flushed, wanted, __ATOMIC_RELEASE);
    lapic_end();
}

void core_look(struct core *core) {
    lapic_send(core->apic_id, LAPIC_FIXED(TRAP_CORE_LOOK));
}

void core_handle_look(struct trap_frame *frame) {
    lapic_end();
    trap_overtime(frame, true);
}

void core_stop_others(void) {
    lapic_send_others(LAPIC_NMI);
}

_Noreturn void core_end(void) {
    cpu_halt();
}
