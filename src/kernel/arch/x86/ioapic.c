/* ioapic.c - a redirection entry for every pin; which pin an ISA interrupt arrives at is the MADT's
 * to say. */
#include "arch/x86/ioapic.h"

#include <stddef.h>

#include "arch/x86/lapic.h"
#include "mm/paging.h"

/* The two registers in memory, in words: which register, and its content. */
#define SELECT 0
#define WINDOW 4
#define WINDOW_END 0x20u /* bytes */

#define REG_VERSION 0x01
#define REG_REDIRECTION(pin) (0x10u + 2 * (pin))
#define VERSION_PINS(version) (((version) >> 16 & 0xff) + 1)
#define PINS_MAX 240u /* SDM's and the chip sets' most */

/* A redirection entry; delivery mode 0 is fixed, destination mode 0 physical. */
#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)
#define ENTRY_DESTINATION(id) ((uint32_t)(id) << 24) /* in the high half */

struct controller {
    volatile uint32_t *registers;
    uint32_t first_gsi, pins;
};

static struct controller controllers[MADT_IO_APICS_MAX];
static unsigned count;
static struct madt_isa_irq wiring[MADT_ISA_IRQS];
static uint8_t destination;

static uint32_t read(const struct controller *c, uint32_t reg) {
    c->registers[SELECT] = reg;
    return c->registers[WINDOW];
}

static void write(const struct controller *c, uint32_t reg, uint32_t value) {
    c->registers[SELECT] = reg;
    c->registers[WINDOW] = value;
}

/* The controller with the pin of a global system interrupt, NULL when no pin has it. */
static const struct controller *find(uint32_t gsi, uint32_t *pin) {
    for (unsigned i = 0; i < count; i++) {
        *pin = gsi - controllers[i].first_gsi;
        if (gsi >= controllers[i].first_gsi && *pin < controllers[i].pins)
            return &controllers[i];
    }
    return NULL;
}

static void mask_irq(unsigned irq) {
    uint32_t pin;
    const struct controller *c = find(wiring[irq].gsi, &pin);
    if (c != NULL)
        write(c, REG_REDIRECTION(pin), ENTRY_MASKED);
}

/* Two ISA interrupts on one pin would arrive as the vector of one of them. */
static bool is_shadowed(unsigned irq) {
    for (unsigned other = 0; other < MADT_ISA_IRQS; other++)
        if (other != irq && wiring[other].gsi == wiring[irq].gsi && wiring[irq].gsi == irq)
            return true; /* an override has taken the pin away from the IRQ of its number */
    return false;
}

static bool unmask_irq(unsigned irq) {
    const struct madt_isa_irq *wire = &wiring[irq];
    uint32_t pin;
    const struct controller *c = find(wire->gsi, &pin);
    if (c == NULL || is_shadowed(irq))
        return false;
    write(c, REG_REDIRECTION(pin) + 1, ENTRY_DESTINATION(destination));
    write(c, REG_REDIRECTION(pin),
          (IRQ_VECTOR_BASE + irq) | (wire->active_low ? ENTRY_ACTIVE_LOW : 0) |
              (wire->level ? ENTRY_LEVEL : 0));
    return true;
}

/* The local APIC has a vector of its own for these. */
static bool is_spurious(unsigned irq) {
    (void)irq;
    return false;
}

static void end_irq(unsigned irq) {
    (void)irq;
    lapic_end();
}

const struct irq_controller ioapic = {"I/O APIC", mask_irq, unmask_irq, is_spurious, end_irq};

static int look_at(struct controller *c, const struct madt_io_apic *m, struct fluid_error *err) {
    c->first_gsi = m->first_gsi;
    c->registers = paging_map_device(m->address, WINDOW_END);
    uint32_t version = c->registers != NULL ? read(c, REG_VERSION) : UINT32_MAX;
    c->pins = VERSION_PINS(version);
    if (version != UINT32_MAX && c->pins <= PINS_MAX && c->first_gsi <= UINT32_MAX - c->pins)
        return 0;
    return fluid_fail(err, "E-ACPI-04",
                      "an I/O APIC expected at 0x%x as the MADT says, found version register 0x%x; "
                      "update the BIOS",
                      m->address, version);
}

int ioapic_init(const struct madt *madt, struct fluid_error *err) {
    for (unsigned irq = 0; irq < MADT_ISA_IRQS; irq++)
        wiring[irq] = madt->isa[irq];
    for (count = 0; count < madt->io_apic_count; count++)
        if (look_at(&controllers[count], &madt->io_apic[count], err) != 0)
            return -1;
    return 0;
}

void ioapic_start(uint8_t id) {
    destination = id;
    for (unsigned i = 0; i < count; i++)
        for (uint32_t pin = 0; pin < controllers[i].pins; pin++)
            write(&controllers[i], REG_REDIRECTION(pin), ENTRY_MASKED);
}
