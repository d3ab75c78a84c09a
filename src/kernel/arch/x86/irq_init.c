/* irq_init.c - which controllers deliver: local and I/O APIC where the firmware's tables tell of
 * them and they answer, else the two 8259A, which every PC has or plays. */
#include "arch/x86/ioapic.h"
#include "arch/x86/lapic.h"
#include "arch/x86/pic.h"
#include "console/event.h"
#include "dev/acpi_memory.h"

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
