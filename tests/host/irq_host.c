/* irq_host.c - the kernel's dispatch of interrupts and its I/O APIC driver, with devices and
 * registers that are played here.
 *
 *     irq_host dispatch          interrupts of a controller that counts
 *     irq_host ioapic VERSION    one I/O APIC with this version register (hexadecimal, "-": none)
 *
 * The registers of an I/O APIC are plain memory: the window holds what was written last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/control.h"
#define interrupts_save() ((uintptr_t)0) /* CLI is not for a process */
#define interrupts_restore(flags) ((void)(flags))

#include "arch/x86/ioapic.c"
#include "arch/x86/irq.c"

#define LEVEL_IRQ 11

static volatile uint32_t registers[8];
static bool mapped = true;

void panic(const char *format, ...) {
    printf("panic %s\n", format);
    exit(0);
}

void *paging_map_device(uint64_t physical, size_t size) {
    (void)physical;
    if (size > sizeof registers)
        abort();
    return mapped ? (void *)registers : NULL;
}

void lapic_end(void) {
    printf("end\n");
}

/* A controller that counts. */
static unsigned masked, ended;
static bool next_is_spurious;

static void count_mask(unsigned irq) {
    masked += irq == LEVEL_IRQ;
}

static bool count_unmask(unsigned irq) {
    return irq != 5;
}

static bool count_spurious(unsigned irq) {
    bool spurious = next_is_spurious && irq == 7;
    next_is_spurious = false;
    return spurious;
}

static void count_end(unsigned irq) {
    (void)irq;
    ended++;
}

static const struct irq_controller counting = {"counting", count_mask, count_unmask, count_spurious,
                                               count_end};

static bool asks[2];
static unsigned called[2];

static bool first_device(void) {
    called[0]++;
    return asks[0];
}

static bool second_device(void) {
    called[1]++;
    return asks[1];
}

static void show(const char *what, unsigned irq) {
    struct irq_counts c = irq_counts(irq);
    printf("%s: taken %u unclaimed %u spurious %u stuck %d called %u %u ended %u,%u\n", what,
           (unsigned)c.taken, (unsigned)c.unclaimed, (unsigned)c.spurious, c.stuck, called[0],
           called[1], ended, masked);
}

static void dispatch(void) {
    irq_use(&counting);
    printf("%s\n", irq_controller()->name);
    printf("registered %d %d %d\n", irq_register(LEVEL_IRQ, first_device),
           irq_register(LEVEL_IRQ, second_device), irq_register(5, first_device));
    irq_handle(LEVEL_IRQ);
    show("nobody", LEVEL_IRQ);
    asks[1] = true;
    irq_handle(LEVEL_IRQ);
    show("second", LEVEL_IRQ);
    asks[0] = true;
    irq_handle(LEVEL_IRQ);
    show("both", LEVEL_IRQ);
    next_is_spurious = true;
    irq_handle(7);
    show("spurious", 7);
    irq_handle(7);
    show("real", 7);
    asks[0] = asks[1] = false;
    for (unsigned i = 1; i < UNCLAIMED_MAX; i++)
        irq_handle(LEVEL_IRQ);
    show("almost", LEVEL_IRQ);
    irq_handle(LEVEL_IRQ);
    show("storm", LEVEL_IRQ);
    printf("registered %d\n", irq_register(LEVEL_IRQ, first_device));
    irq_register(LEVEL_IRQ, first_device);
    irq_register(LEVEL_IRQ, first_device); /* a fifth */
}

static void show_entry(unsigned irq) {
    bool done = ioapic.unmask(irq);
    printf("IRQ %u: %d %x %x\n", irq, done, registers[SELECT], registers[WINDOW]);
}

static void redirect(const char *version) {
    struct madt madt = {.io_apic_count = 1, .io_apic = {{.address = 0xfec00000}}};
    struct fluid_error err;
    mapped = strcmp(version, "-") != 0;
    registers[WINDOW] = (uint32_t)strtoul(version, NULL, 16);
    for (unsigned irq = 0; irq < MADT_ISA_IRQS; irq++)
        madt.isa[irq].gsi = irq;
    madt.isa[0].gsi = 2;
    madt.isa[9].level = madt.isa[9].active_low = true;
    madt.isa[12].gsi = 200;
    if (ioapic_init(&madt, &err) != 0) {
        printf("%s %s\n", err.code, err.text);
        return;
    }
    ioapic_start(3);
    printf("masked up to %x: %x\n", registers[SELECT], registers[WINDOW]);
    show_entry(0);
    show_entry(1);
    show_entry(9);
    registers[SELECT] = registers[WINDOW] = 0;
    show_entry(2);  /* its pin is IRQ 0's */
    show_entry(12); /* wired to nothing */
    ioapic.mask(1);
    printf("masked %x %x\n", registers[SELECT], registers[WINDOW]);
    printf("spurious %d\n", ioapic.spurious(7));
    ioapic.end(1);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "dispatch") == 0)
        dispatch();
    else if (argc == 3 && strcmp(argv[1], "ioapic") == 0)
        redirect(argv[2]);
    else
        return 2;
    return 0;
}
