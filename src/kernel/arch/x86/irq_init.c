/* irq_init.c - which controllers deliver, and what they have delivered: local and I/O APIC where
 * the firmware's tables tell of them and they answer, else the two 8259A, which every PC has or
 * plays. */
#include "arch/x86/ioapic.h"
#include "arch/x86/lapic.h"
#include "arch/x86/pic.h"
#include "console/event.h"
#include "dev/acpi_memory.h"
#include "lib/printf.h"

static bool find_madt(struct madt *madt, struct fluid_error *err) {
    struct acpi_table table;
    err->code[0] = '\0'; /* acpi_table reports for itself */
    return acpi_table("APIC", &table) == 0 && madt_parse(madt, &table, err) == 0 &&
           madt->io_apic_count > 0;
}

void irq_init(void) {
    struct fluid_error err;
    struct madt madt;
    pic_init();
    irq_use(&pic);
    if (find_madt(&madt, &err) && ioapic_init(&madt, &err) == 0 && lapic_init(&madt)) {
        ioapic_start(lapic_id());
        irq_use(&ioapic);
    } else if (err.code[0] != '\0') {
        report_warn(&err);
    }
}

void irq_print(void) {
    uint64_t unclaimed = 0, spurious = lapic_spurious_count();
    kprintf("  interrupts by %s:", irq_controller()->name);
    for (unsigned irq = 0; irq < IRQ_COUNT; irq++) {
        struct irq_counts counts = irq_counts(irq);
        unclaimed += counts.unclaimed;
        spurious += counts.spurious;
        if (counts.taken != 0 || counts.stuck)
            kprintf(" IRQ %u: %llu%s,", irq, (unsigned long long)counts.taken,
                    counts.stuck ? " (masked, endless)" : "");
    }
    kprintf(" unclaimed: %llu, spurious: %llu, errors: %llu\n", (unsigned long long)unclaimed,
            (unsigned long long)spurious, (unsigned long long)lapic_error_count());
}
