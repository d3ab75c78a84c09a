/* power.c - the PM1 control registers (ACPI 6.5, 4.8.3.2) and the reset register (4.8.3.6). */
#include "arch/x86/power.h"

#include "arch/x86/port.h"
#include "arch/x86/time.h"
#include "console/event.h"
#include "dev/acpi_memory.h"
#include "dev/fadt.h"
#include "lib/printf.h"
#include "mm/paging.h"

#define PM1_ACPI_ON 0x0001u
#define PM1_TYPE_SHIFT 10
#define PM1_TYPE_MASK (7u << PM1_TYPE_SHIFT)
#define PM1_SLEEP 0x2000u

#define ENABLE_MS 3000u /* "the OS should wait" for the BIOS to switch ACPI on, 4.8.2.5 */
#define EFFECT_US 500000u
#define POLL_US 1000u

static struct fadt fadt;
static uint8_t sleep_types[2];
static bool can_sleep;
static volatile uint8_t *reset_register;

void power_init(void) {
    struct acpi_table table;
    struct fluid_error err;
    if (acpi_table("FACP", &table) != 0) /* says for itself what is damaged */
        return;
    if (fadt_parse(&fadt, &table, &err) != 0) {
        report_warn(&err);
        return;
    }
    if (fadt.reset_address != 0)
        reset_register = paging_map_device(fadt.reset_address, 1);
    if (fadt.pm1a == 0 || acpi_table_at(fadt.dsdt, "DSDT", &table) != 0)
        return;
    can_sleep = dsdt_find_s5(sleep_types, &table, &err) == 0;
    if (!can_sleep)
        report_warn(&err);
}

static void switch_acpi_on(void) {
    if (inw(fadt.pm1a) & PM1_ACPI_ON || fadt.smi_command == 0 || fadt.acpi_enable == 0)
        return;
    outb(fadt.smi_command, fadt.acpi_enable);
    for (unsigned ms = 0; ms < ENABLE_MS && !(inw(fadt.pm1a) & PM1_ACPI_ON); ms++)
        time_delay_us(POLL_US);
}

static void enter(uint16_t port, uint8_t type) {
    uint32_t kept = inw(port) & ~(PM1_TYPE_MASK | PM1_SLEEP);
    outw(port, (uint16_t)(kept | (uint32_t)type << PM1_TYPE_SHIFT | PM1_SLEEP));
}

void power_acpi_off(void) {
    if (!can_sleep)
        return;
    switch_acpi_on();
    enter(fadt.pm1a, sleep_types[0]);
    if (fadt.pm1b != 0)
        enter(fadt.pm1b, sleep_types[1]);
    time_delay_us(EFFECT_US);
}

void power_acpi_reset(void) {
    if (fadt.reset_port != 0)
        outb(fadt.reset_port, fadt.reset_value);
    else if (reset_register)
        *reset_register = fadt.reset_value;
    else
        return;
    time_delay_us(EFFECT_US);
}

void power_print(void) {
    kprintf("  power: ");
    if (can_sleep)
        kprintf("off by ACPI S5 (port 0x%x, type %u)", fadt.pm1a, sleep_types[0]);
    else
        kprintf("off by the ports of known virtual machines");
    if (fadt.reset_port != 0)
        kprintf(", restart by ACPI (port 0x%x)\n", fadt.reset_port);
    else if (reset_register)
        kprintf(", restart by ACPI (memory)\n");
    else
        kprintf(", restart by the keyboard controller\n");
}

uint8_t power_rtc_century(void) {
    return fadt.century;
}
